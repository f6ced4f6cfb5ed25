import { repeatScript } from "@handrail/scripted-model/script";
import type { StoredEvent } from "@handrail/protocol/events";
import { describe, expect, test } from "vitest";
import { eventsOf, readFileText, readLog, runEnd, sleep, startConversation } from "./conversations.ts";
import { scriptedEnvironment } from "./model-env.ts";
import { findRunningSandbox, type KilledBackend, type RunningSandbox, workingBackends } from "./sandbox-kills.ts";
import { startServer, type TestServer } from "./test-server.ts";

const CALLS = 30;
const LINES = Array.from({ length: CALLS }, (_, index) => `line-${index + 1}`);

/** Each call takes a little while, so that kills meet it at every stage of its life. */
const script = repeatScript({
  name: "thirty-calls",
  steps: CALLS,
  call: { tool: "terminal", arguments: { command: "sleep 0.03; echo line-{{turn}} >> lines.txt" } },
  last: { text: "All lines are written." },
});

const linesOf = async (server: TestServer, id: string) =>
  (await readFileText(server.client, id, "lines.txt")).trimEnd().split("\n");

/** What every log must show, however often things were killed. */
function checkLog(log: readonly StoredEvent[]): { lost: number } {
  const started = eventsOf(log, "call.started").map((event) => event.callId);
  const ended = eventsOf(log, "call.ended").map((event) => event.callId);
  expect(new Set(started).size).toBe(started.length);
  expect(ended.toSorted()).toEqual(started.toSorted());
  expect(eventsOf(log, "run.ended")).toMatchObject([{ outcome: "done", detail: "All lines are written." }]);
  return { lost: eventsOf(log, "call.ended").filter((event) => event.outcome === "lost").length };
}

const isOpen = (log: readonly StoredEvent[]) => eventsOf(log, "run.ended").length === 0;

type Crashed = { readonly server: TestServer; readonly hit: number };

/** More kills in a row than this could keep a run from ever getting on. */
const KILLS_A_RUN = 10;

/** Runs that are open together when their server is killed: the start of a server is what a kill costs. */
const RUNS_A_SERVER = 4;

/** Kills the server at random instants while runs of thirty calls are open; then checks their logs and files. */
async function crashRuns(server: TestServer, backend: KilledBackend): Promise<Crashed> {
  const start = () => startConversation(server.client, { backend, task: "write thirty lines" });
  const ids = await Promise.all(Array.from({ length: RUNS_A_SERVER }, start));
  const readAll = (from: TestServer) => Promise.all(ids.map((id) => readLog(from.client, id)));
  let now = server;
  let hit = 0;
  for (let kills = 0; kills < KILLS_A_RUN; kills += 1) {
    await sleep(Math.random() * 350);
    const before = await readAll(now);
    const open = before.filter(isOpen).length;
    if (open === 0) break;
    await now.crash();
    hit += open;
    now = await now.restart();
    const after = await readAll(now);
    expect(after.map((log, index) => log.length >= (before[index]?.length ?? 0))).toEqual(ids.map(() => true));
  }
  for (const id of ids) {
    const { log } = await runEnd(now.client, id, 120_000);
    expect(checkLog(log)).toEqual({ lost: 0 });
    expect(await linesOf(now, id)).toEqual(LINES);
  }
  return { server: now, hit };
}

/** One for the sandbox that runs and one for the start of the next: a run gives up after a few starts that fail. */
const KILLS_A_STEP = 2;

/** Lost calls in a row, after which a call is let through: at six failed ones a run asks its user. */
const LOST_IN_A_ROW = 4;

const isLosing = (log: readonly StoredEvent[]) => {
  const last = eventsOf(log, "call.ended").slice(-LOST_IN_A_ROW);
  return last.length === LOST_IN_A_ROW && last.every(({ outcome }) => outcome === "lost");
};

/** What is still to be killed, over all runs together. */
type Quota = { readonly what: "sandboxd" | "sandbox"; left: number };

const kill = (sandbox: RunningSandbox, { what }: Quota) =>
  what === "sandboxd" ? sandbox.killSandboxd() : sandbox.killAll();

/** Kills sandboxd, or all of the sandbox, at random instants of one run, each sandbox once; then checks log and file. */
async function killRun(server: TestServer, backend: KilledBackend, quota: Quota): Promise<void> {
  const id = await startConversation(server.client, { backend, task: "write thirty lines" });
  const killed = new Set<string>();
  const killsOfStep: number[] = [];
  while (quota.left > 0) {
    await sleep(Math.random() * 300);
    const sandbox = await findRunningSandbox(server, backend, id);
    const log = await readLog(server.client, id);
    if (!isOpen(log)) break;
    const step = eventsOf(log, "step.started").length;
    killsOfStep[step] ??= 0;
    const spared = killsOfStep[step] >= KILLS_A_STEP || isLosing(log) || quota.left <= 0;
    if (spared || sandbox === undefined || killed.has(sandbox.id) || !(await kill(sandbox, quota))) continue;
    killed.add(sandbox.id);
    killsOfStep[step] += 1;
    quota.left -= 1;
  }
  const { log } = await runEnd(server.client, id, 120_000);
  const { lost } = checkLog(log);
  const lines = await linesOf(server, id);
  expect(new Set(lines).size).toBe(lines.length);
  expect(lines.length).toBeGreaterThanOrEqual(CALLS - lost);
  expect(LINES).toEqual(expect.arrayContaining(lines));
}

/** Runs whose sandboxes are killed at the same time, each at instants of its own. */
const LANES = 4;

/** Runs, one after the other in each lane, until the quota is killed. */
async function killUntil(server: TestServer, backend: KilledBackend, quota: Quota): Promise<void> {
  const lane = async () => {
    while (quota.left > 0) await killRun(server, backend, quota);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

/** Open runs to hit: by kills of their server, of sandboxd, of their whole sandbox. */
const WANTED = {
  process: { server: 80, sandboxd: 100, sandbox: 100 },
  docker: { server: 30, sandboxd: 100, sandbox: 100 },
} as const;

/** What every run of a backend comes to when the server, sandboxd or the sandbox is killed, at instants of chance. */
export function crashSuite(backend: KilledBackend): void {
  const wanted = WANTED[backend];
  describe.skipIf(!workingBackends().includes(backend))(`${backend}:`, () => {
    test(
      `the server is killed at ${wanted.server} or more instants of open 30-call runs; each line is written once`,
      { timeout: 400_000 },
      async () => {
        const { model, env } = await scriptedEnvironment(script);
        let server = await startServer({ env });
        try {
          let hit = 0;
          while (hit < wanted.server) {
            const crashed = await crashRuns(server, backend);
            ({ server } = crashed);
            hit += crashed.hit;
          }
          process.stdout.write(`${backend}: kills of the server hit ${hit} open runs.\n`);
        } finally {
          await server.dispose();
          await model.close();
        }
      },
    );

    test.each([
      ["sandboxd", wanted.sandboxd, "sandboxd"],
      ["the whole sandbox", wanted.sandbox, "sandbox"],
    ] as const)(
      "%s is killed at %i or more instants of open 30-call runs; each line is written once, or its call is lost",
      { timeout: 300_000 },
      async (_name, left, what) => {
        const { model, env } = await scriptedEnvironment(script);
        const server = await startServer({ env });
        try {
          await killUntil(server, backend, { what, left });
        } finally {
          await server.dispose();
          await model.close();
        }
      },
    );
  });
}
