import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testAuthority } from "@handrail/broker/testing/tls-fixture";
import { afterAll, beforeAll, expect, test } from "vitest";
import { gitServer } from "../testing/git-server.ts";
import { MODULE, PACKAGE, packageRegistry } from "../testing/package-registry.ts";
import { openSecretBench, shell } from "../testing/secret-bench.ts";
import { cargoFolder, goFolder } from "../testing/toolchains.ts";

const TOKEN = "rtok_0a1b2c3d4e5f60718293";
const HOST = "registry.example";

const [cargo, go] = [cargoFolder(), goFolder()];
if (cargo === undefined) process.stdout.write("Skipped: cargo is not on this machine.\n");
if (go === undefined) process.stdout.write("Skipped: go is not on this machine.\n");

let home: string;
let bench: Awaited<ReturnType<typeof openBench>>;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "handrail-clients-"));
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
  rmSync(home, { recursive: true, force: true });
});

/** A private registry and git host whose credentials are in the sandbox as a placeholder only. */
async function openBench() {
  const root = join(home, "repositories");
  mkdirSync(root);
  const repository = join(root, "app.git");
  const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null" };
  execFileSync("git", ["init", "-q", "--bare", "-b", "main", repository], { env });
  const tree = execFileSync("git", ["-C", repository, "hash-object", "-t", "tree", "-w", "/dev/null"], { env });
  const who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];
  const commit = ["-C", repository, ...who, "commit-tree", "-m", "the first", String(tree).trim()];
  const first = String(execFileSync("git", commit, { env })).trim();
  execFileSync("git", ["-C", repository, "update-ref", "refs/heads/main", first], { env });
  const authority = testAuthority();
  const registry = packageRegistry(TOKEN);
  const server = await gitServer({
    path: process.env["PATH"],
    root,
    certificate: authority.serverFor(HOST),
    credentials: `ada:${TOKEN}`,
    other: registry.answer,
  });
  const { port } = server;
  const held = await openSecretBench({
    home,
    installation: `clients-${process.pid}`,
    secrets: {
      // Nobody looks at this header: what arrives in another one was put in place of the placeholder.
      REGISTRY: {
        value: TOKEN,
        scope: { type: "owner" },
        environment: "TOKEN",
        use: { type: "header", hosts: [{ host: HOST, port }], header: "x-never" },
      },
    },
    hosts: [`${HOST}:${port}`, `unopened.example:${port}`],
    roots: [authority.certificate],
    readOnly: [cargo ?? [], go ?? []].flat(),
  });
  const close = async () => {
    await held.close();
    server.close();
  };
  return { ...held, seen: registry.seen, url: `https://${HOST}:${port}`, place: `${HOST}:${port}`, close };
}

/** What `text` reads as once the token in it was overwritten at its own length. */
const masked = (text: string) => text.replace(TOKEN, "[secret REGISTRY]".padEnd(TOKEN.length, "*"));

/** Asked in an encoded form, so that the question is not its own answer. */
const FIND = `echo ${Buffer.from(TOKEN).toString("base64")} | base64 -d | cut -c6- > /dev/shm/v
  grep -rlFf /dev/shm/v /workspace /tmp "$HOME" 2>/dev/null; env | grep -cFf /dev/shm/v; rm -f /dev/shm/v`;

for (const backend of ["process", "docker"] as const) {
  test(`${backend}: npm installs from a private registry with a placeholder for its token`, async () => {
    const { place, url, seen, start } = bench;
    const sandbox = await start(backend);
    // A machine's own settings may name a `cafile`, which npm then believes alone.
    const npm = "npm --globalconfig=/tmp/none --no-audit --no-fund --loglevel=error --fetch-retries=0";
    const config = `registry=${url}/npm/\n//${place}/npm/:_authToken=\${TOKEN}`;
    await shell(
      sandbox,
      `mkdir -p /tmp/n && cd /tmp/n && echo '{"name":"n"}' > package.json && echo '${config}' > .npmrc`,
    );
    const install = `cd /tmp/n && ${npm} install ${PACKAGE} >/dev/null && node -p 'require("${PACKAGE}")'`;
    expect(await shell(sandbox, install)).toEqual({ said: "from npm\n", exitCode: 0 });
    expect(await shell(sandbox, `cd /tmp/n && ${npm} view ${PACKAGE} description`)).toEqual({
      said: `${masked(`told Bearer ${TOKEN}`)}\n`,
      exitCode: 0,
    });
    // The variables are what makes it so: Debian's Node reads OpenSSL's too.
    const without = await shell(
      sandbox,
      `cd /tmp/n && NODE_EXTRA_CA_CERTS= SSL_CERT_FILE= ${npm} --cache=/tmp/new view ${PACKAGE} version`,
    );
    expect(without.said).toMatch(/self.signed certificate|unable to (?:verify|get)/i);
    expect((await shell(sandbox, FIND)).said).toBe("0\n");
    expect(seen).toContain(`GET /npm/${PACKAGE}/-/${PACKAGE}-1.0.0.tgz`);
  });

  test(`${backend}: pip installs from a private index with a placeholder in its address`, async () => {
    const { place, url, seen, start } = bench;
    const sandbox = await start(backend);
    const pip = "python3 -m pip --disable-pip-version-check --no-cache-dir --no-input --retries 0 -q";
    const index = `https://ada:$TOKEN@${place}/simple/`;
    const install = `cd /tmp && ${pip} install --target /tmp/lib --index-url "${index}" ${PACKAGE}`;
    const use = `PYTHONPATH=/tmp/lib python3 -c 'import handrail_probe as h; print(h.word)'`;
    expect(await shell(sandbox, `${install} && ${use}`)).toEqual({ said: "from pip\n", exitCode: 0 });
    const refused = await shell(sandbox, `${pip} download -d /tmp/d --index-url ${url}/simple/ ${PACKAGE}`);
    expect(refused.exitCode).toBe(1);
    expect((await shell(sandbox, FIND)).said).toBe("0\n");
    expect(seen).toContain("GET /simple/files/handrail_probe-1.0.0-py3-none-any.whl");
  });

  test(`${backend}: requests, urllib, curl and git give the placeholder and never see the value`, async () => {
    const { url, records, start } = bench;
    const sandbox = await start(backend);
    const told = masked(`told: Bearer ${TOKEN}`);
    const header = `{"Authorization": "Bearer " + os.environ["TOKEN"]}`;
    // pip carries the real library along.
    const requests = `import os; from pip._vendor import requests as r; s = r.Session(); print(s.get("${url}/told", headers=${header}).text, end="")`;
    const urllib = `import os, urllib.request as u; print(u.urlopen(u.Request("${url}/told", headers=${header})).read().decode(), end="")`;
    expect(await shell(sandbox, `python3 -c '${requests}'`)).toEqual({ said: `${told}\n`, exitCode: 0 });
    expect(await shell(sandbox, `python3 -c '${urllib}'`)).toEqual({ said: `${told}\n`, exitCode: 0 });
    const curl = await shell(sandbox, `curl -sS -v --oauth2-bearer "$TOKEN" ${url}/told`);
    expect(curl.said).toContain(`${told}\n`);
    expect(curl.said).toMatch(/> Authorization: Bearer handrail-secret-REGISTRY-[0-9a-f]{24}/);
    const helper = "!f() { echo username=ada; echo password=$TOKEN; }; f";
    const clone = `rm -rf /tmp/app && git -c credential.helper='${helper}' clone -q ${url}/app.git /tmp/app && git -C /tmp/app log --format=%s`;
    expect(await shell(sandbox, clone)).toEqual({ said: "the first\n", exitCode: 0 });
    expect((await shell(sandbox, FIND)).said).toBe("0\n");
    expect(records.filter(({ secrets }) => secrets?.includes("REGISTRY")).length).toBeGreaterThan(3);
  });

  test(`${backend}: connections that have ended leave room for others`, async () => {
    const { place, start } = bench;
    const sandbox = await start(backend);
    // More than may be open at a time, one after the other, each ended by the host.
    const each = (host: string) =>
      `for i in $(seq 70); do curl -sSk -o /dev/null -w '%{http_connect} ' -H 'Connection: close' https://${host}/none; done`;
    for (const host of [place, place.replace(HOST, "unopened.example")]) {
      expect(await shell(sandbox, each(host))).toEqual({ said: "200 ".repeat(70), exitCode: 0 });
    }
  });
}

test.skipIf(cargo === undefined)(
  "process: cargo fetches from a private registry with a placeholder for its token",
  async () => {
    const { url, seen, start } = bench;
    const sandbox = await start("process");
    const config = `[registries.private]\nindex = "sparse+${url}/cargo/"\n[registry]\nglobal-credential-providers = ["cargo:token"]\n`;
    const manifest = `[package]\nname = "n"\nversion = "1.0.0"\n[dependencies]\n${PACKAGE} = { version = "1", registry = "private" }\n`;
    const files = `mkdir -p /tmp/c/src /tmp/c/.cargo && cd /tmp/c && touch src/lib.rs && echo '${config}' > .cargo/config.toml && echo '${manifest}' > Cargo.toml`;
    const vendor = `CARGO_REGISTRIES_PRIVATE_TOKEN="$TOKEN" ${cargo}/bin/cargo vendor -q vendored`;
    expect(await shell(sandbox, `${files} && ${vendor} >/dev/null && cat vendored/${PACKAGE}/src/lib.rs`)).toEqual({
      said: "// from cargo\n",
      exitCode: 0,
    });
    expect((await shell(sandbox, FIND)).said).toBe("0\n");
    expect(seen).toContain(`GET /cargo/crates/${PACKAGE}/1.0.0/download`);
  },
);

test.skipIf(go === undefined)(
  "process: go downloads by a private proxy with a placeholder in its address",
  async () => {
    const { place, seen, start } = bench;
    const sandbox = await start("process");
    const settings = `GOPROXY="https://ada:$TOKEN@${place}/go" GONOSUMDB='*' GOFLAGS=-mod=mod GOTOOLCHAIN=local GOPATH=/tmp/go`;
    const download = `${settings} ${go}/bin/go mod download ${MODULE}@v1.0.0`;
    expect(await shell(sandbox, `${download} && cat /tmp/go/pkg/mod/${MODULE}@v1.0.0/probe.go`)).toEqual({
      said: "package probe // from go\n",
      exitCode: 0,
    });
    expect((await shell(sandbox, FIND)).said).toBe("0\n");
    expect(seen).toContain(`GET /go/${MODULE}/@v/v1.0.0.zip`);
  },
);
