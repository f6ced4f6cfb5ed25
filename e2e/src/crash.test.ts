import { repeatScript } from "@handrail/scripted-model/script";
import type { StoredEvent } from "@handrail/protocol/events";
import { expect, test } from "vitest";
import { eventsOf, readFileText, readLog, runEnd, sleep, startConversation } from "./support/conversations.ts";
import { scriptedEnvironment } from "./support/model-env.ts";
import { findRunningSandbox, type KilledBackend, workingBackends } from "./support/sandbox-kills.ts";
import { startServer, type TestServer } from "./support/test-server.ts";

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

type Crashed = { readonly server: TestServer; readonly landed: number };

/** More kills in a row than this could keep a run from ever getting on. */
const KILLS_A_RUN = 10;

/** Kills the server at random instants while one run of thirty calls is open; then checks log and file. */
async function crashRun(server: TestServer, backend: KilledBackend): Promise<Crashed> {
  const id = await startConversation(server.client, { backend, task: "write thirty lines" });
  let now = server;
  let landed = 0;
  while (landed < KILLS_A_RUN) {
    await sleep(Math.random() * 350);
    const before = await readLog(now.client, id);
    if (!isOpen(before)) break;
    await now.crash();
    landed += 1;
    now = await now.restart();
    expect((await readLog(now.client, id)).length).toBeGreaterThanOrEqual(before.length);
  }
  const { log } = await runEnd(now.client, id, 120_000);
  expect(checkLog(log)).toEqual({ lost: 0 });
  expect(await linesOf(now, id)).toEqual(LINES);
  return { server: now, landed };
}

/** One for the sandbox that runs and one for the start of the next: a run gives up after a few starts that fail. */
const KILLS_A_STEP = 2;

/** Kills sandboxd, or all of the sandbox, at random instants of one run. Gives how many sandboxes were lost by it. */
async function killRun(server: TestServer, backend: KilledBackend, what: "sandboxd" | "sandbox"): Promise<number> {
  const id = await startConversation(server.client, { backend, task: "write thirty lines" });
  const killsOfStep: number[] = [];
  for (let kills = 0; kills < KILLS_A_RUN;) {
    await sleep(Math.random() * 300);
    const sandbox = await findRunningSandbox(server, backend, id);
    const log = await readLog(server.client, id);
    if (!isOpen(log)) break;
    const step = eventsOf(log, "step.started").length;
    const before = killsOfStep[step] ?? 0;
    if (sandbox === undefined || before >= KILLS_A_STEP) continue;
    await (what === "sandboxd" ? sandbox.killSandboxd() : sandbox.killAll());
    killsOfStep[step] = before + 1;
    kills += 1;
  }
  const { log } = await runEnd(server.client, id, 120_000);
  const { lost } = checkLog(log);
  const lines = await linesOf(server, id);
  expect(new Set(lines).size).toBe(lines.length);
  expect(lines.length).toBeGreaterThanOrEqual(CALLS - lost);
  expect(LINES).toEqual(expect.arrayContaining(lines));
  return eventsOf(log, "sandbox.lost").length;
}

const NAME = { sandboxd: "sandboxd", sandbox: "the whole sandbox" } as const;

/** Runs whose sandboxes are killed at the same time, each at instants of its own. */
const LANES = 4;

/** Kills until so many sandboxes were lost. Gives how many were. */
async function killUntil(
  wanted: number,
  server: TestServer,
  backend: KilledBackend,
  what: "sandboxd" | "sandbox",
): Promise<number> {
  let lost = 0;
  const lane = async () => {
    while (lost < wanted) lost += await killRun(server, backend, what);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return lost;
}

/** Kills that count: those of the server while a run was open, and those that cost a sandbox. */
const WANTED = {
  process: { server: 80, sandboxd: 100, sandbox: 20 },
  docker: { server: 20, sandboxd: 20, sandbox: 6 },
} as const;

for (const backend of workingBackends()) {
  const wanted = WANTED[backend];
  test(
    `${backend}: the server is killed at ${wanted.server} or more instants of open 30-call runs; each line is written once`,
    { timeout: 400_000 },
    async () => {
      const { model, env } = await scriptedEnvironment(script);
      let server = await startServer({ env });
      try {
        let landed = 0;
        while (landed < wanted.server) {
          const crashed = await crashRun(server, backend);
          ({ server } = crashed);
          landed += crashed.landed;
        }
        process.stdout.write(`${backend}: the server was killed ${landed} times during open runs.\n`);
      } finally {
        await server.dispose();
        await model.close();
      }
    },
  );

  for (const what of ["sandboxd", "sandbox"] as const) {
    test(
      `${backend}: ${wanted[what]} or more sandboxes are lost to a kill of ${NAME[what]}; each line is written once, or its call is lost`,
      { timeout: 300_000 },
      async () => {
        const { model, env } = await scriptedEnvironment(script);
        const server = await startServer({ env });
        try {
          const lost = await killUntil(wanted[what], server, backend, what);
          process.stdout.write(`${backend}: ${lost} sandboxes were lost by killing ${NAME[what]}.\n`);
        } finally {
          await server.dispose();
          await model.close();
        }
      },
    );
  }
}
