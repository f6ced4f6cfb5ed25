import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type ScriptedModel, startScriptedModel } from "@handrail/scripted-model/scripted-model";
import type { Script, Turn } from "@handrail/scripted-model/script";
import type { StoredEvent } from "@handrail/protocol/events";
import type { NetworkRule, WorkspaceSource } from "@handrail/protocol/sources";
import { freePort } from "@handrail/sandboxes/testing/free-port";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventsOf, readFileText, runEnd, sleep, startConversation } from "./support/conversations.ts";
import { inFolder, makeOddFolder, ODD_FILES, OUTWARD } from "./support/odd-folder.ts";
import { killProgram, workingBackends } from "./support/sandbox-kills.ts";
import { startServer, type TestServer } from "./support/test-server.ts";

/** What a model, a repository or a program may do to harm the server, its machine or its user. */
const KEY = "sk-test-key";
const HOST_SECRET = "a-secret-of-the-host";
const ODD_TEXT = "<script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror=alert(1)>";
const ENDLESS = String(randomInt(10_000_000, 99_999_999));
const BOMB = `bomb-${randomInt(10_000_000, 99_999_999)}`;

let base: string;
let port: number;
let model: ScriptedModel;
let server: TestServer;

beforeAll(async () => {
  base = await mkdtemp(path.join(tmpdir(), "handrail-hostile-"));
  port = await freePort();
  model = await startScriptedModel({ script: scripts(), apiKey: KEY });
  server = await startServer({
    home: path.join(base, "home"),
    port,
    env: {
      LLM_BASE_URL: model.baseUrl,
      LLM_API_KEY: KEY,
      LLM_MODEL: "odd-files",
      SECRET_OF_HOST: HOST_SECRET,
      LOG_ALL_EVENTS: "true",
      HANDRAIL_SANDBOX_PROCESSES: "256",
    },
  });
});
afterAll(async () => {
  await server?.dispose();
  await model?.close();
  await rm(base, { recursive: true, force: true });
});

/** One model for each scenario: the turns are commands, one after the other. */
const commands = (name: string, lines: readonly string[], last: Turn = { text: "Done." }): Script => ({
  name,
  turns: lines.map((command) => ({ calls: [{ tool: "terminal", arguments: { command, timeout_seconds: 120 } }] })),
  otherwise: last,
});

const PROXY = "--noproxy '' -x http://127.0.0.1:3128";
const heads = (url: string) => `curl -s -m 20 -o /dev/null -D - ${PROXY} ${url}`;

function scripts(): readonly Script[] {
  return [
    commands("odd-files", [
      'for f in *.txt *.bin; do [ -L "$f" ] || printf \'more\\r\\n\' >> "$f"; done; echo n > \'a "b" é.txt\'',
    ]),
    commands("flood", ["head -c 200000000 /dev/zero | tr '\\0' x | fold -w 100", "echo still here"]),
    commands("endless", [`bash -c "trap '' INT TERM HUP; sleep ${ENDLESS} & while :; do sleep ${ENDLESS}; done"`]),
    commands("bomb", [`bash -c ':(){ :|:& };:; wait; sleep 100' ${BOMB}`]),
    commands("other", ["echo other works > other.txt"]),
    commands("codes", [CODES], { text: ODD_TEXT }),
    commands("secrets", [
      "env; cat /proc/1/environ /proc/self/environ | tr '\\0' '\\n'; echo the end",
      `for p in /root/. ${base}/home /var/run/docker.sock; do ls -a $p >/dev/null 2>&1 && echo "reached $p"; done; echo the end`,
    ]),
    { name: "echo", turns: [], otherwise: { faults: [{ type: "status", status: 400, message: `Wrong: ${KEY}` }] } },
    commands("network", [
      heads("http://example.org/"),
      heads("http://169.254.169.254/"),
      heads(`http://127.0.0.1:${port}/healthz`),
      heads(`http://localhost:${port}/healthz`),
    ]),
    commands("no-network", [
      `${heads("http://example.org/")}; echo code $?`,
      `curl -s -m 20 --noproxy '*' http://127.0.0.1:${port}/healthz; echo code $?`,
      `curl -s -m 20 --noproxy '*' http://169.254.169.254/; echo code $?`,
    ]),
  ];
}

const CODES =
  "printf 'a\\033]0;title\\007\\033[31mred\\033[0m\\033]8;;http://x/\\033\\\\link\\033]8;;\\033\\\\\\001\\002\\302\\2331mz\\033Pq\\033\\\\\\033[2J\\033[Hend\\n'";

const task = (name: string, backend: "docker" | "process" = "process", source: WorkspaceSource = { type: "empty" }) =>
  startConversation(server.client, { backend, source, model: name, task: `do ${name}` });

const answers = (log: readonly StoredEvent[]) =>
  eventsOf(log, "call.ended").map(({ content }) => content.map((part) => ("text" in part ? part.text : "")).join(""));

/** Programs on this machine, in sandboxes too, whose command line holds the text. */
function programsWith(text: string): readonly number[] {
  return globSync("/proc/[0-9]*/cmdline").flatMap((file) => {
    try {
      return readFileSync(file, "utf8").includes(text) ? [Number(file.split("/")[2])] : [];
    } catch {
      return [];
    }
  });
}

/** Asks again and again, up to two minutes. */
async function until(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + 120_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`After two minutes it is still not so: ${what}`);
    await sleep(50);
  }
}

const get = (route: string) =>
  fetch(server.url + route, {
    headers: { authorization: `Bearer ${server.token}` },
    signal: AbortSignal.timeout(60_000),
  });

for (const backend of workingBackends()) {
  test(`${backend}: a folder with odd names and links out of it: nothing outside is read, the patch applies`, async () => {
    const folder = path.join(base, `odd-${backend}`);
    await makeOddFolder(folder);
    // Node's own copy cannot take a name that is not UTF-8.
    execFileSync("cp", ["-a", folder, `${folder}-copy`], { timeout: 60_000 });
    const id = await task("odd-files", backend, { type: "folder", path: folder });
    expect(await runEnd(server.client, id)).toMatchObject({ outcome: "done", detail: "Done." });
    await checkListing(id);
    await checkApplied(id, folder);
  });
}

async function checkListing(id: string): Promise<void> {
  const { entries } = await server.client.files({ params: { id }, query: {} });
  const names = [...ODD_FILES.map(([, shown]) => shown), ...Object.keys(OUTWARD), 'a "b" é.txt'];
  expect(entries.map((entry) => entry.name).toSorted()).toEqual(names.toSorted());
  for (const outside of ["absolute", "upward", "folder/passwd", "../../etc/passwd", "/etc/passwd"]) {
    const read = server.client.file({ params: { id }, query: { path: outside } });
    await expect(read, outside).rejects.toMatchObject({ code: "path_outside" });
  }
  for (const outside of ["folder", "..", "/etc"]) {
    const list = server.client.files({ params: { id }, query: { path: outside } });
    await expect(list, outside).rejects.toMatchObject({ code: "path_outside" });
  }
}

/** The patch makes of a copy what the agent made of the workspace; the folder itself is as it was. */
async function checkApplied(id: string, folder: string): Promise<void> {
  const copy = `${folder}-copy`;
  await writeFile(`${folder}.patch`, await (await get(`/api/conversations/${id}/patch`)).bytes());
  execFileSync("git", ["apply", "--whitespace=nowarn", `${folder}.patch`], { cwd: copy, timeout: 60_000 });
  for (const [name, shown, content] of ODD_FILES) {
    const changed = Buffer.concat([content, Buffer.from("more\r\n")]);
    expect(await readFile(inFolder(copy, name)), shown).toEqual(changed);
    expect(await readFile(inFolder(folder, name)), shown).toEqual(content);
  }
  expect(await readFile(path.join(copy, 'a "b" é.txt'), "utf8")).toBe("n\n");
  expect(await readlink(path.join(copy, "absolute"))).toBe(OUTWARD.absolute);
}

const residentBytes = () =>
  1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))?.[1]);

test("200 MB of output: the run goes on, the model is told a part and where the whole is, the server stays small", async () => {
  const before = residentBytes();
  let peak = before;
  const sampling = setInterval(() => (peak = Math.max(peak, residentBytes())), 100);
  try {
    const { outcome, log } = await runEnd(server.client, await task("flood"), 150_000);
    expect(outcome).toBe("done");
    const [flood = "", then = ""] = answers(log);
    expect(flood.length).toBeGreaterThan(1000);
    expect(Buffer.byteLength(flood)).toBeLessThanOrEqual(30_000);
    expect(then).toContain("still here");
    const data = eventsOf(log, "call.ended")[0]?.data;
    expect(data).toMatchObject({ exitCode: 0, outputFile: expect.any(String) });
    expect(data?.outputBytes).toBeGreaterThanOrEqual(200_000_000);
    expect(flood).toContain(data?.outputFile);
    expect(peak - before).toBeLessThan(150_000_000);
  } finally {
    clearInterval(sampling);
  }
});

for (const backend of workingBackends()) {
  test(`${backend}: a command that never ends and ignores signals is gone once the run is stopped`, async () => {
    const id = await task("endless", backend);
    await until("the command runs", () => programsWith(`sleep\0${ENDLESS}`).length >= 2);
    await server.client.stopRun({ params: { id } });
    expect(await runEnd(server.client, id)).toMatchObject({ outcome: "cancelled" });
    await until("no process of it is left", () => programsWith(ENDLESS).length === 0);
  });
}

test("a fork bomb: the server and other conversations go on; no process is left once it is deleted", async () => {
  const id = await task("bomb");
  try {
    await until("it has grown", () => programsWith(BOMB).length > 50);
    expect(await (await get("/healthz")).json()).toEqual({ status: "ok" });
    const other = await task("other");
    expect(await runEnd(server.client, other, 120_000)).toMatchObject({ outcome: "done" });
    expect(await readFileText(server.client, other, "other.txt")).toBe("other works\n");
    await server.client.stopRun({ params: { id } });
    expect(await runEnd(server.client, id, 120_000)).toMatchObject({ outcome: "cancelled" });
    await server.client.deleteConversation({ params: { id } });
    await until("no process is left", () => [...programsWith(BOMB), ...programsWith(id)].length === 0);
  } finally {
    await server.client.deleteConversation({ params: { id } }).catch(() => undefined);
    for (const pid of [...programsWith(BOMB), ...programsWith(id)]) killProgram(pid);
  }
});

test("control codes of a program do not reach the log; markup in the model's words is kept as text", async () => {
  const { log } = await runEnd(server.client, await task("codes"));
  const [shown = ""] = answers(log);
  expect(shown).toContain("end");
  expect(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.exec(shown)).toBeNull();
  expect(JSON.stringify(log)).not.toContain(String.raw`\u001b`);
  expect(eventsOf(log, "run.ended")).toMatchObject([{ outcome: "done", detail: ODD_TEXT }]);
});

const ALLOW: NetworkRule = { type: "allow", presets: ["registries"], hosts: [] };

for (const backend of workingBackends()) {
  test(`${backend}: no secret of the server or its machine is in a sandbox, an event, an answer or the log`, async () => {
    const id = await task("secrets", backend);
    const { outcome, log } = await runEnd(server.client, id);
    expect(outcome).toBe("done");
    const [environment = "", places = ""] = answers(log);
    expect(environment).toContain("HANDRAIL=1");
    expect(environment).toContain("the end");
    expect(places).not.toContain("reached");
    const refused = await task("echo", backend);
    expect(await runEnd(server.client, refused)).toMatchObject({ outcome: "failed" });

    const of = ["", "/events", "/changes", "/patch", "/files", "/terminals"];
    const routes = [id, refused].flatMap((one) => of.map((end) => `/api/conversations/${one}${end}`));
    const further = ["/api/session", "/api/settings", "/api/doctor", "/api/conversations", "/readyz", "/metrics"];
    const said = await Promise.all([...routes, ...further].map(async (route) => (await get(route)).text()));
    expect(server.log()).toContain(id);
    expect(server.log()).toContain("HANDRAIL=1");
    for (const text of [...said, server.log()]) {
      expect(text).not.toContain(KEY);
      expect(text).not.toContain(HOST_SECRET);
    }
  });

  test(`${backend}: the proxy refuses hosts without a rule, addresses of clouds, and the server's own machine`, async () => {
    const everything: NetworkRule = { type: "allow", presets: ["everything"], hosts: [] };
    for (const network of [ALLOW, everything]) {
      const { id } = await server.client.createConversation({
        body: {
          source: { type: "empty" },
          sandbox: { backend, network },
          model: "network",
          content: [{ type: "text", text: "do network" }],
        },
      });
      const { outcome, log } = await runEnd(server.client, id);
      expect(outcome).toBe("done");
      const given = answers(log);
      expect(given).toHaveLength(4);
      for (const answer of network === everything ? given.slice(1) : given) {
        expect(answer).toMatch(/HTTP\/1\.1 403 [^]*x-handrail-refused: \w+/);
      }
    }
  });

  test(`${backend}: without network the proxy refuses all, and there is no cloud and no server's machine to reach`, async () => {
    const { outcome, log } = await runEnd(server.client, await task("no-network", backend));
    expect(outcome).toBe("done");
    const [proxied, ...direct] = answers(log);
    expect(proxied).toMatch(/HTTP\/1\.1 403 [^]*x-handrail-refused: network_off/);
    // curl's exit code for a connection that was not made.
    for (const answer of direct) expect(answer).toMatch(/^code 7$/m);
    expect(direct).toHaveLength(2);
  });
}
