import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testAuthority } from "@handrail/broker/testing/tls-fixture";
import { afterAll, beforeAll, expect, test } from "vitest";
import { canRunContainerd } from "@handrail/sandboxes/testing/containerd-daemon";
import { runtimeUnderTest } from "@handrail/sandboxes/testing/containerd-root";
import { gitServer } from "../testing/git-server.ts";
import { openSecretBench, type SecretBackendName, shell } from "../testing/secret-bench.ts";

const TOKEN = "gtok_9f8e7d6c5b4a39281706";
const API = "api-key-5544332211aabbccdd";
const FILE = "file-secret-0011223344556677";
const HOST = "forge.example";

const withContainerd = await canRunContainerd();

let home: string;
let bench: Awaited<ReturnType<typeof openBench>>;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "handrail-secrets-"));
  bench = await openBench(home);
});
afterAll(async () => {
  await bench.close();
  rmSync(home, { recursive: true, force: true });
});

const gitEnv = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null" };
const git = (...args: string[]) => execFileSync("git", args, { env: gitEnv, encoding: "utf8", stdio: "pipe" });

async function openBench(directory: string) {
  const root = join(directory, "repositories");
  mkdirSync(root);
  const bare = join(root, "team", "app.git");
  git("init", "-q", "--bare", "-b", "main", bare);
  git("-C", bare, "config", "http.receivepack", "true");
  const authority = testAuthority();
  const seen: string[] = [];
  const server = await gitServer({
    path: process.env["PATH"],
    root,
    certificate: authority.serverFor(HOST),
    credentials: `x-access-token:${TOKEN}`,
    other(request, response) {
      const key = request.headers.authorization ?? request.headers["x-key"];
      seen.push(`${request.url} ${String(key)}`);
      response.end(`told: ${String(key)}\n`);
    },
  });
  const { port } = server;
  const runtime = withContainerd ? await runtimeUnderTest() : undefined;
  const push = [{ repository: "team/app", branches: ["agent/*"] }];
  const scope = { type: "owner" } as const;
  const held = await openSecretBench({
    home: directory,
    installation: `secrets-${process.pid}`,
    secrets: {
      FORGE: { value: TOKEN, scope, use: { type: "git", host: `${HOST}:${port}`, repositories: ["team/*"], push } },
      API: {
        value: API,
        scope,
        environment: "API_KEY",
        use: { type: "header", hosts: [{ host: HOST, port, path: "/v1/**" }] },
      },
      KEYFILE: { value: FILE, scope, environment: "KEY_FILE", use: { type: "file" } },
    },
    hosts: [`${HOST}:${port}`],
    roots: [authority.certificate],
    containerd: runtime?.address,
  });
  const close = async () => {
    await held.close();
    await runtime?.dispose();
    server.close();
  };
  return { ...held, seen, port, bare, close };
}

/** Node reads the address of a proxy by itself from version 24 on. */
const NODE = `n=/opt/handrail-node/bin/node; [ -x $n ] || n=node; new=false
  [ "$($n -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)" -ge 24 ] && new=true`;

/** What a request to `/v1/` gets to hear; the header's value is masked at its own length. */
const TOLD = `told: Bearer [secret API]${"*".repeat(API.length - "[secret API]".length)}\n`;

const BACKENDS: readonly SecretBackendName[] = [
  "process",
  "docker",
  ...(withContainerd ? (["containerd"] as const) : []),
];

for (const backend of BACKENDS) {
  test(
    `${backend}: curl, git, node and python reach a secret's host through opened TLS`,
    { timeout: 240_000 },
    async () => {
      const sandbox = await bench.start(backend);
      const url = `https://${HOST}:${bench.port}`;
      const node = `fetch("${url}/v1/node").then((r) => r.text()).then((t) => process.stdout.write(t))`;
      const python = `import urllib.request as u; print(u.urlopen("${url}/v1/python").read().decode(), end="")`;
      expect(await shell(sandbox, `curl -sS ${url}/v1/curl`)).toEqual({ said: TOLD, exitCode: 0 });
      expect((await shell(sandbox, `curl -sS -H "x-key: $API_KEY" ${url}/other`)).said).toMatch(
        /^told: handrail-secret-API-[0-9a-f]{24}\n$/,
      );
      expect(await shell(sandbox, `${NODE}; if $new; then $n -e '${node}'; else curl -sS ${url}/v1/node; fi`)).toEqual({
        said: TOLD,
        exitCode: 0,
      });
      expect(
        await shell(
          sandbox,
          `if command -v python3 >/dev/null; then python3 -c '${python}'; else curl -sS ${url}/v1/python; fi`,
        ),
      ).toEqual({
        said: TOLD,
        exitCode: 0,
      });
      const script = [
        `cd /tmp && rm -rf app && git clone -q ${url}/team/app.git app 2>&1 && cd app`,
        "git config user.email a@example.org && git config user.name Ada",
        "git checkout -q -b agent/one && echo one > a.txt && git add a.txt && git commit -qm one",
        `git push origin agent/one-${backend} HEAD:refs/heads/agent/one-${backend} 2>&1 | tail -1; git push -q origin HEAD:refs/heads/agent/one-${backend}; echo pushed $?`,
        "git push origin HEAD:refs/heads/main 2>&1; echo refused $?",
      ].join("\n");
      const { said } = await shell(sandbox, script);
      expect(said).toContain("pushed 0");
      expect(said).toContain("Handrail: No rule allows refs/heads/main to be pushed.");
      expect(said).toMatch(/! \[remote rejected\] HEAD -> main \(No rule allows refs\/heads\/main/);
      expect(said).toContain("refused 1");
      expect(git("-C", bench.bare, "for-each-ref", "--format=%(refname)")).toContain(`refs/heads/agent/one-${backend}`);
      expect(git("-C", bench.bare, "for-each-ref", "--format=%(refname)")).not.toContain("refs/heads/main");
      expect(bench.seen).toContain(`/v1/curl Bearer ${API}`);
      expect(bench.seen).not.toContain(`/other ${API}`);
      expect(bench.records.filter(({ secrets }) => secrets?.includes("FORGE")).length).toBeGreaterThan(3);
    },
  );

  test(`${backend}: no value is anywhere in the sandbox but in its file in memory`, { timeout: 120_000 }, async () => {
    const sandbox = await bench.start(backend);
    const hidden = [TOKEN, API].map((value) => Buffer.from(value).toString("base64")).join(" ");
    // Asked in an encoded form, so that the question is not its own answer; each prints what it found by number.
    const search = `for e in ${hidden}; do v=$(echo $e | base64 -d); h=$(echo "$v" | cut -c6-); printf %s "$h" > /dev/shm/v;
      grep -rlF -f /dev/shm/v /workspace /handrail-state /tmp /run /dev/shm/handrail /etc 2>/dev/null; env | grep -cF -f /dev/shm/v; cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -cF -f /dev/shm/v; done; rm -f /dev/shm/v`;
    expect(await sandbox.status("never")).toBe("unknown");
    const found = (await shell(sandbox, search)).said;
    expect(found.trim().split("\n")).toEqual(["0", "0", "0", "0"]);
    const looked = await shell(
      sandbox,
      'stat -c "%a %n" "$KEY_FILE"; stat -f -c %T "$KEY_FILE"; cat "$KEY_FILE"; echo; base64 "$KEY_FILE"; echo "$API_KEY"',
    );
    const [mode, type, plain, encoded, placeholder] = looked.said.split("\n");
    expect([mode, type, plain, encoded]).toEqual([
      expect.stringMatching(/^400 \/(?:run|dev\/shm)\/handrail\/secrets\/KEYFILE$/),
      "tmpfs",
      "[secret KEYFILE]",
      expect.stringContaining("[secret KEYFILE]"),
    ]);
    expect(placeholder).toMatch(/^handrail-secret-API-[0-9a-f]{24}$/);
  });
}

test("nothing of a value is in the state directory or in the server's log", () => {
  const stored = readFileSync(join(home, "secrets.json"), "latin1");
  for (const value of [TOKEN, API, FILE]) {
    expect(stored).not.toContain(value);
    expect(bench.masks.text(`a ${value} b`)).toMatch(/^a \[secret [A-Z]+\] b$/);
  }
});
