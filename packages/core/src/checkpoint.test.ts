import type { KeptSnapshot } from "@handrail/protocol/checkpoints";
import type { ConversationEvent } from "@handrail/protocol/events";
import { AppError } from "@handrail/protocol/errors";
import { expect, test } from "vitest";
import { checkpointEvents } from "./checkpoint.ts";
import { createJournal } from "./journal.ts";
import type { Snapshots } from "./ports/snapshots.ts";
import { sampleCreated } from "./testing/log-samples.ts";
import { memoryLogStore } from "./testing/memory-log-store.ts";
import { scriptedSandbox } from "./testing/scripted-sandbox.ts";
import { testClock } from "./testing/test-clock.ts";

const STARTED: ConversationEvent = {
  type: "run.started",
  runId: `r_${"0".repeat(20)}`,
  messageId: `m_${"0".repeat(20)}`,
  limits: {},
};
const CHECKPOINT_ID = `p_${"0".repeat(20)}`;
const CHANGED = { path: "a.txt", status: "modified", added: 1, removed: 0, binary: false } as const;
const KEPT: Omit<KeptSnapshot, "reason"> = {
  root: "0".repeat(64),
  files: 1,
  bytes: 1,
  newBytes: 1,
  durationMs: 1,
  leftOut: [],
  leftOutCount: 0,
};

type World = { readonly running: boolean; readonly now?: string; readonly fails?: boolean };

/** The events of a checkpoint that a user asks for, and what was done for it. `now`: what the files are when they were compared. */
async function checkpointOf({ running, now = KEPT.root, fails = false }: World) {
  const clock = testClock({ skipUpToMs: 0 });
  const journal = await createJournal(memoryLogStore(), clock, sampleCreated());
  if (running) await journal.commit(() => [STARTED]);
  const done: string[] = [];
  const sandbox = scriptedSandbox({
    "workspace.changes": () => {
      done.push("compared");
      if (fails) throw new AppError("internal", "There is no git.");
      return { tree: "t1", changes: [CHANGED] };
    },
  });
  const unused = async () => Promise.reject(new Error("Nothing of the kind happens here."));
  const snapshots: Snapshots = {
    async keep(_state, _sandbox, { reason }) {
      done.push("kept");
      return { ...KEPT, reason };
    },
    async rootNow() {
      done.push("looked");
      return now;
    },
    keepStep: unused,
    forgetStep: unused,
    restore: unused,
  };
  const ports = { journal, clock, snapshots, newId: () => CHECKPOINT_ID, sandbox: async () => sandbox };
  const events = await checkpointEvents(ports, sandbox, "user", new AbortController().signal);
  return { events, done };
}

const event = (told: { tree: string; changes?: (typeof CHANGED)[] }): ConversationEvent => ({
  type: "workspace.checkpointed",
  checkpointId: CHECKPOINT_ID,
  ...told,
  snapshot: { ...KEPT, reason: "user" },
});

test("what was kept is compared after it was kept", async () => {
  expect(await checkpointOf({ running: false })).toEqual({
    events: [event({ tree: "t1", changes: [CHANGED] })],
    done: ["kept", "compared"],
  });
});

test("while a run goes on, changes are told of a checkpoint whose files are still those when they were compared", async () => {
  expect(await checkpointOf({ running: true })).toEqual({
    events: [event({ tree: "t1", changes: [CHANGED] })],
    done: ["kept", "compared", "looked"],
  });
  const changed = await checkpointOf({ running: true, now: "1".repeat(64) });
  expect(changed.events).toEqual([event({ tree: "" })]);
});

test("of a checkpoint that could not be compared no changes are told, not even those of before", async () => {
  expect((await checkpointOf({ running: false, fails: true })).events).toEqual([event({ tree: "" })]);
});
