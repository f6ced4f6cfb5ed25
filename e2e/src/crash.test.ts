import { repeatScript } from "@handrail/scripted-model/script";
import type { StoredEvent } from "@handrail/protocol/events";
import { expect, test } from "vitest";
import { eventsOf, readFileText, readLog, runEnd, sleep, startConversation } from "./support/conversations.ts";
import { scriptedEnvironment } from "./support/model-env.ts";
import { killSandboxPrograms, workingBackends } from "./support/sandbox-kills.ts";
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

/** Kills the server at `kills` random instants while a run of thirty calls goes on, then checks log and file. */
async function crashRun(server: TestServer, backend: "docker" | "process", kills: number): Promise<TestServer> {
  const id = await startConversation(server.client, { backend, task: "write thirty lines" });
  let now = server;
  let seen = 0;
  for (let kill = 0; kill < kills; kill++) {
    await sleep(Math.random() * 350);
    const log = await readLog(now.client, id);
    seen = Math.max(seen, log.length);
    await now.crash();
    now = await now.restart();
    expect((await readLog(now.client, id)).length).toBeGreaterThanOrEqual(seen);
  }
  const { log } = await runEnd(now.client, id, 120_000);
  expect(checkLog(log)).toEqual({ lost: 0 });
  expect(await linesOf(now, id)).toEqual(LINES);
  return now;
}

const KILLS = { process: { runs: 9, kills: 9 }, docker: { runs: 2, kills: 10 } } as const;

for (const backend of workingBackends()) {
  const { runs, kills } = KILLS[backend];
  test(
    `${backend}: the server is killed at ${runs * kills} instants of 30-call runs; each line is written once`,
    { timeout: 600_000 },
    async () => {
      const { model, env } = await scriptedEnvironment(script);
      let server = await startServer({ env });
      try {
        for (let run = 0; run < runs; run++) server = await crashRun(server, backend, kills);
      } finally {
        await server.dispose();
        await model.close();
      }
    },
  );

  test(
    `${backend}: sandboxd and the whole sandbox are killed; lines are written once, or the call is lost and at most once`,
    { timeout: 300_000 },
    async () => {
      const { model, env } = await scriptedEnvironment(script);
      const server = await startServer({ env });
      try {
        for (const what of ["sandboxd", "sandbox"] as const) {
          const id = await startConversation(server.client, { backend, task: "write thirty lines" });
          for (let kill = 0; kill < 4; kill++) {
            await sleep(600 + Math.random() * 400);
            await killSandboxPrograms(server, backend, what);
          }
          const { log } = await runEnd(server.client, id, 120_000);
          const { lost } = checkLog(log);
          const lines = await linesOf(server, id);
          expect(new Set(lines).size).toBe(lines.length);
          expect(lines.length).toBeGreaterThanOrEqual(CALLS - lost);
          expect(LINES).toEqual(expect.arrayContaining(lines));
        }
      } finally {
        await server.dispose();
        await model.close();
      }
    },
  );
}
