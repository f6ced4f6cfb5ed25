import { createJournal, type Journal } from "@handrail/core/journal";
import { memoryLogStore } from "@handrail/core/testing/memory-log-store";
import { testClock } from "@handrail/core/testing/test-clock";
import type { RunPorts, RunSignals } from "@handrail/core/run-ports";
import { AppError } from "@handrail/protocol/errors";
import type { Delta } from "@handrail/protocol/deltas";
import { expect, test } from "vitest";
import { runCoordinator } from "./run-coordinator.ts";

const idOf = (index: number) => `c_${String(index).repeat(20)}`;

async function conversation(index: number, store = memoryLogStore()): Promise<Journal> {
  const journal = await createJournal(store, testClock(), {
    type: "conversation.created",
    conversationId: idOf(index),
    ownerId: "local",
    teamId: null,
    title: "t",
    source: { type: "empty" },
    sandbox: { backend: "process", network: { type: "none" } },
    model: "demo",
    limits: {},
    runLimits: {},
  });
  await startRun(journal, 1);
  return journal;
}

const startRun = (journal: Journal, run: number) =>
  journal.commit(() => [
    { type: "run.started", runId: `r_${String(run).repeat(20)}`, messageId: `m_${"0".repeat(20)}`, limits: {} },
  ]);

const end = (journal: Journal, outcome: "done" | "cancelled") =>
  journal.commit(({ run }) => (run === null ? [] : [{ type: "run.ended", runId: run.runId, outcome, detail: "" }]));

/** Drives that end when told, or as cancelled when stopped, or not at all when left. */
async function stage(count: number, maxRuns: number) {
  const journals = new Map<string, Journal>();
  for (let index = 1; index <= count; index++) journals.set(idOf(index), await conversation(index));
  const deltas: Delta[] = [];
  const driving: string[] = [];
  const finish = new Map<string, () => void>();
  const failures: unknown[] = [];
  const drive = async ({ journal }: RunPorts, { stop, leave }: RunSignals) => {
    driving.push(journal.state.id);
    const { promise, resolve } = Promise.withResolvers<"done" | "cancelled" | "left">();
    finish.set(journal.state.id, () => resolve("done"));
    stop.addEventListener("abort", () => resolve("cancelled"));
    leave.addEventListener("abort", () => resolve("left"));
    if (stop.aborted) resolve("cancelled");
    const outcome = await promise;
    if (outcome !== "left") await end(journal, outcome);
  };
  const parts = {
    portsFor: async (id: string) =>
      ({ journal: journals.get(id)!, emit: (delta: Delta) => deltas.push(delta) }) as unknown as RunPorts,
    drive,
    maxRuns,
    clock: testClock(),
    onFailure: (_id: string, thrown: unknown) => failures.push(thrown),
  };
  return { runs: runCoordinator(parts), parts, journals, deltas, driving, finish, failures };
}

const outcome = (journal: Journal | undefined) => journal?.state.lastRun?.outcome;

test("a conversation has one driver, however often it is woken", async () => {
  const { runs, driving, finish, journals } = await stage(1, 8);
  for (let times = 0; times < 5; times++) runs.wake(idOf(1));
  await expect.poll(() => driving).toEqual([idOf(1)]);
  finish.get(idOf(1))!();
  await runs.awaitIdle(idOf(1));
  expect([driving.length, outcome(journals.get(idOf(1)))]).toEqual([1, "done"]);
});

test("runs over the cap wait, say so, and enter in order", async () => {
  const { runs, driving, finish, deltas } = await stage(3, 1);
  for (const index of [1, 2, 3]) runs.wake(idOf(index));
  await expect.poll(() => runs.waiting).toBe(2);
  expect(deltas.map((delta) => "text" in delta && delta.text)).toEqual([
    "Waiting for a free place: 1 run is under way.",
    "Waiting for a free place: 1 run is under way, and 1 waits before this one.",
  ]);
  finish.get(idOf(1))!();
  await expect.poll(() => driving).toEqual([idOf(1), idOf(2)]);
  finish.get(idOf(2))!();
  await expect.poll(() => driving).toEqual([idOf(1), idOf(2), idOf(3)]);
});

test("a run that waits can be stopped without a place", async () => {
  const { runs, journals } = await stage(2, 1);
  runs.wake(idOf(1));
  runs.wake(idOf(2));
  await expect.poll(() => runs.waiting).toBe(1);
  runs.stop(idOf(2), journals.get(idOf(2))!.state.run!.runId);
  await runs.awaitIdle(idOf(2));
  expect([outcome(journals.get(idOf(2))), runs.active, runs.waiting]).toEqual(["cancelled", 1, 0]);
});

test("a stop ends the run that it was meant for, not the next one", async () => {
  const { runs, journals, driving, finish } = await stage(1, 1);
  const journal = journals.get(idOf(1))!;
  runs.wake(idOf(1));
  await expect.poll(() => driving.length).toBe(1);
  runs.stop(idOf(1), journal.state.run!.runId);
  await expect.poll(() => outcome(journal)).toBe("cancelled");
  await startRun(journal, 2);
  runs.wake(idOf(1));
  await expect.poll(() => driving.length).toBe(2);
  finish.get(idOf(1))!();
  await runs.awaitIdle(idOf(1));
  expect(outcome(journal)).toBe("done");
});

test("a server that stops leaves runs open in their logs", async () => {
  const { runs, journals, driving } = await stage(2, 1);
  runs.wake(idOf(1));
  runs.wake(idOf(2));
  await expect.poll(() => driving.length).toBe(1);
  await runs.close();
  expect([...journals.values()].map(({ state }) => state.run?.runId)).toEqual([
    `r_${"1".repeat(20)}`,
    `r_${"1".repeat(20)}`,
  ]);
  runs.wake(idOf(1));
  expect(runs.isDriven(idOf(1))).toBe(false);
});

test("a driver that throws ends its run as failed; one that cannot write is tried again", async () => {
  const first = await stage(1, 1);
  const broken = runCoordinator({ ...first.parts, drive: () => Promise.reject(new Error("bug")) });
  broken.wake(idOf(1));
  await broken.awaitIdle(idOf(1));
  expect(first.journals.get(idOf(1))!.state.lastRun).toMatchObject({ outcome: "failed", errorCode: "internal" });
  const second = await stage(1, 1);
  let tries = 0;
  const full = runCoordinator({
    ...second.parts,
    async drive({ journal }) {
      tries += 1;
      if (tries < 3) throw new AppError("storage_full", "The disk is full.");
      await end(journal, "done");
    },
  });
  full.wake(idOf(1));
  await full.awaitIdle(idOf(1));
  expect([tries, outcome(second.journals.get(idOf(1)))]).toEqual([3, "done"]);
});
