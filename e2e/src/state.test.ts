import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Client, createClient } from "@handrail/client/create-client";
import { repeatScript } from "@handrail/scripted-model/script";
import { afterEach, beforeEach, expect, test } from "vitest";
import { eventsOf, readFileText, readLog, runEnd, sleep, startConversation } from "./support/conversations.ts";
import { scriptedEnvironment } from "./support/model-env.ts";
import { workingBackends } from "./support/sandbox-kills.ts";
import { forgetServer } from "./support/installation-of.ts";
import { spawnProgram, spawnServer } from "./support/spawn-server.ts";
import { startServer, type TestServer } from "./support/test-server.ts";

const CALLS = 20;
const script = repeatScript({
  name: "twenty-calls",
  steps: CALLS,
  call: { tool: "terminal", arguments: { command: "sleep 0.25; echo line-{{turn}} >> lines.txt" } },
  last: { text: "All lines are written." },
});
const LINES = Array.from({ length: CALLS }, (_, index) => `line-${index + 1}\n`).join("");

let base: string;
beforeEach(async () => {
  base = await mkdtemp(path.join(tmpdir(), "handrail-state-"));
});
afterEach(async () => {
  // Where it takes a helper to bound workspaces, a server has its programs in Docker as soon as it has looked.
  await forgetServer(path.join(base, "home"));
  await rm(base, { recursive: true, force: true });
});

/** Waits until the run has answered this many calls. */
async function callsEnded(client: Client, id: string, count: number): Promise<void> {
  const ended = async () => eventsOf(await readLog(client, id), "call.ended").length;
  await expect.poll(ended, { timeout: 120_000 }).toBeGreaterThanOrEqual(count);
}

const refused = async (home: string, env: Readonly<Record<string, string>> = {}) => {
  const { code, stdout, stderr } = await spawnServer(home, env).ended;
  return { code, stdout, stderr };
};

test("a second server on the same state ends at once, with one line that names the first one's process", async () => {
  const server = await startServer({ home: path.join(base, "home") });
  try {
    const { code, stdout, stderr } = await refused(server.home);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^handrail: .+\n$/);
    expect(stderr).toContain(`process ${server.pid}`);
    expect(await server.client.healthz()).toEqual({ status: "ok" });
  } finally {
    await server.dispose();
  }
});

test("a server ends with the npm start that began it, also when that is killed", async () => {
  const home = path.join(base, "home");
  const server = await startServer({ home, npmStart: true });
  const { pid } = JSON.parse(await readFile(path.join(home, "server.json"), "utf8")) as { readonly pid: number };
  expect(pid).not.toBe(server.pid);
  await server.crash();
  await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false);
});

test("a port that is taken is refused with one line that names it", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  try {
    const { port } = other.address() as AddressInfo;
    const { code, stdout, stderr } = await refused(path.join(base, "home"), { PORT: String(port) });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^handrail: .+\n$/);
    expect(stderr).toContain(String(port));
  } finally {
    other.close();
  }
});

test.each([
  ["an unknown key", "prot: 3000\n", {}, "prot"],
  ["a bad value in the file", "max-runs: many\n", {}, "max-runs"],
  ["a bad value in the environment", "", { HANDRAIL_MAX_RUNS: "many" }, "HANDRAIL_MAX_RUNS"],
  ["a file that is not YAML", "a: [\n", {}, "handrail.yaml"],
])("%s is refused by its name", async (_what, yaml, env, name) => {
  await writeFile(path.join(base, "handrail.yaml"), yaml);
  const { code, stdout, stderr } = await refused(base, env);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(/^handrail: .+\n$/);
  expect(stderr).toContain(name);
});

for (const backend of workingBackends()) {
  test(`${backend}: SIGTERM during a run: it ends with 0 within 10 seconds; no call is lost, the run is done after the next start`, async () => {
    const home = path.join(base, "home");
    const { model, env } = await scriptedEnvironment(script);
    const first = spawnServer(home, env);
    try {
      await first.ready;
      const { url, token } = JSON.parse(await readFile(path.join(home, "server.json"), "utf8")) as Record<
        string,
        string
      >;
      const client = createClient({ baseUrl: url ?? "", token: token ?? "" });
      const id = await startConversation(client, { backend, task: "write lines" });
      await callsEnded(client, id, 3);
      const before = await readLog(client, id);
      first.kill("SIGTERM");
      const ending = await Promise.race([first.ended, sleep(10_000)]);
      expect(ending).toMatchObject({ code: 0 });

      const server = await startServer({ home, env });
      try {
        const { outcome, log } = await runEnd(server.client, id);
        expect(outcome).toBe("done");
        expect(log.slice(0, before.length)).toEqual(before);
        expect(eventsOf(log, "call.ended").map((event) => event.outcome)).toEqual(
          Array.from({ length: CALLS }, () => "ok"),
        );
        expect(await readFileText(server.client, id, "lines.txt")).toBe(LINES);
      } finally {
        await server.dispose();
      }
    } finally {
      first.kill("SIGKILL");
      await model.close();
    }
  });
}

test("a backup while a run writes holds every event that was acknowledged before", async () => {
  const { model, env } = await scriptedEnvironment(script);
  const server = await startServer({ home: path.join(base, "home"), env });
  try {
    const id = await startConversation(server.client, { backend: "process", task: "write lines" });
    await callsEnded(server.client, id, 3);
    const acknowledged = await readLog(server.client, id);
    const file = path.join(base, "copy.tar.gz");
    const copying = spawnProgram(["packages/cli/bin/handrail.mjs", "backup", file], { HANDRAIL_HOME: server.home });
    expect(await copying.ended).toMatchObject({ code: 0, stderr: "" });
    expect(await server.client.conversation({ params: { id } })).toMatchObject({ state: "working" });

    const copied = await eventsInBackup(file, id);
    expect(copied.length).toBeGreaterThanOrEqual(acknowledged.length);
    expect(copied.slice(0, acknowledged.length)).toEqual(acknowledged);
    const { outcome, log } = await runEnd(server.client, id);
    expect(outcome).toBe("done");
    expect(log.slice(0, copied.length)).toEqual(copied);
  } finally {
    await server.dispose();
    await model.close();
  }
});

async function eventsInBackup(file: string, id: string) {
  const folder = path.join(base, "restored");
  await mkdir(folder);
  execFileSync("tar", ["-xzf", file, "-C", folder], { timeout: 60_000 });
  const database = new DatabaseSync(path.join(folder, "handrail.sqlite"), { readOnly: true });
  try {
    expect(database.prepare("pragma integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
    const rows = database.prepare("select seq, at, event from events where conversation_id = ? order by seq").all(id);
    return rows.map(({ seq, at, event }) => ({ seq, at, event: JSON.parse(String(event)) as unknown }));
  } finally {
    database.close();
  }
}

const asRoot = process.getuid?.() === 0;
if (!asRoot) process.stdout.write("Skipped: a full disk is made with a mount, which takes root.\n");

test.skipIf(!asRoot)(
  "a full disk: messages and readiness answer 507, events can be read; with space again nothing is missing",
  async () => {
    const mount = path.join(base, "mount");
    await mkdir(mount);
    // A sandbox wants half a GiB free.
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1g", "tmpfs", mount]);
    const { model, env } = await scriptedEnvironment({ name: "answers", turns: [], otherwise: { text: "Read." } });
    try {
      const server = await startServer({ home: path.join(mount, "home"), env });
      try {
        const id = await startConversation(server.client, { backend: "process", task: "read" });
        expect(await runEnd(server.client, id)).toMatchObject({ outcome: "done" });
        const ballast = path.join(mount, "ballast");
        const given = await fillUp(server, id, ballast);
        expect(messagesIn(await readLog(server.client, id))).toEqual(expect.arrayContaining(given));
        expect(await readiness(server)).toEqual({ status: 507, code: "storage_full" });

        await rm(ballast);
        given.push(await say(server.client, id, "and now"));
        const { outcome, log } = await runEnd(server.client, id);
        expect(outcome).toBe("done");
        expect(messagesIn(log)).toEqual(expect.arrayContaining(given));
        expect(await readiness(server)).toEqual({ status: 200, code: undefined });
      } finally {
        await rm(path.join(mount, "ballast"), { force: true });
        await server.dispose();
      }
    } finally {
      await model.close();
      execFileSync("umount", ["-l", mount]);
    }
  },
);

const messagesIn = (log: Awaited<ReturnType<typeof readLog>>) =>
  eventsOf(log, "message.added").map((event) => event.messageId);

const say = async (client: Client, id: string, text: string) =>
  (await client.addMessage({ params: { id }, body: { content: [{ type: "text", text }] } })).messageId;

async function readiness({ url }: TestServer) {
  const answer = await fetch(`${url}/readyz`);
  const { code } = (await answer.json()) as { readonly code?: string };
  return { status: answer.status, code };
}

/** Fills the disk, then says things until one is refused. Gives the ids of those that were taken. */
async function fillUp(server: TestServer, id: string, ballast: string): Promise<string[]> {
  const taken: string[] = [];
  for (let tries = 0; tries < 300; tries++) {
    fill(ballast);
    try {
      taken.push(await say(server.client, id, `${tries} ${"x".repeat(50_000)}`));
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: "storage_full" });
      const more = await fetch(`${server.url}/api/conversations/${id}/messages`, {
        method: "POST",
        headers: { authorization: `Bearer ${server.token}`, "content-type": "application/json" },
        body: JSON.stringify({ content: [{ type: "text", text: "x".repeat(50_000) }] }),
      });
      expect(more.status).toBe(507);
      return taken;
    }
  }
  throw new Error("300 messages of 50 kB were taken on a full disk");
}

function fill(file: string): void {
  for (const bytes of [1_000_000, 64_000, 4096]) {
    try {
      for (;;) appendFileSync(file, new Uint8Array(bytes));
    } catch {
      // There is no space for so many.
    }
  }
}
