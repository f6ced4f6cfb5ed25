import { createJournal } from "@handrail/core/journal";
import { SAMPLE_ID, sampleCreated } from "@handrail/core/testing/log-samples";
import { memoryLogStore } from "@handrail/core/testing/memory-log-store";
import type { FileChange } from "@handrail/protocol/changes";
import type { Fork, KeptSnapshot } from "@handrail/protocol/checkpoints";
import type { ConversationEvent, EventOf } from "@handrail/protocol/events";
import { expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { keptIn, momentOf, toldChanges } from "./checkpoint-points.ts";

const point = (number: number) => ({
  checkpointId: `p_${String(number).padStart(20, "0")}`,
  root: String(number).padStart(64, "0"),
});

const SUMS = { files: 1, bytes: 1, newBytes: 1, durationMs: 1, leftOut: [], leftOutCount: 0 };

function checkpointed(number: number, asOf?: number): ConversationEvent {
  const { checkpointId, root } = point(number);
  const when = asOf === undefined ? {} : { asOf };
  const snapshot = { root, reason: "step" as const, ...SUMS, ...when };
  return { type: "workspace.checkpointed", checkpointId, tree: "", changes: [], snapshot };
}

const NOTE: ConversationEvent = { type: "notice.added", audience: "user", code: "note", text: "Something happened." };

/** Events 1 to 6: kept, two others, kept as of the first of them, restored to the first, another. */
async function log() {
  const store = memoryLogStore();
  const journal = await createJournal(store, systemClock, sampleCreated());
  const restored = { written: 0, removed: 0, failed: [], changes: [] };
  const back: ConversationEvent = { type: "workspace.restored", ...point(1), ...restored };
  await journal.commit(() => [checkpointed(1), NOTE, NOTE, checkpointed(2, 2), back, NOTE]);
  const held = new Set([1, 2].map((number) => point(number).checkpointId));
  return { parts: { store, lineages: { heldBy: async () => held } }, state: journal.state, held };
}

test("a seq means the newest checkpoint at or before it, by when the files were like this", async () => {
  const { parts, state } = await log();
  const at = async (seq: number) => {
    const { checkpointId, asOf } = await momentOf(parts, state, { seq });
    return [checkpointId, asOf];
  };
  expect(await Promise.all([1, 2, 3, 4, 5, 6].map(at))).toEqual([
    [point(1).checkpointId, 1],
    [point(2).checkpointId, 2],
    [point(2).checkpointId, 2],
    [point(2).checkpointId, 2],
    [point(1).checkpointId, 5],
    [point(1).checkpointId, 5],
  ]);
  expect(await momentOf(parts, state, {})).toEqual({ ...point(1), asOf: 5 });
});

test("a checkpoint that is no longer held on to is none: a seq means the one before it", async () => {
  const { parts, state, held } = await log();
  held.delete(point(2).checkpointId);
  expect(await momentOf(parts, state, { seq: 3 })).toEqual({ ...point(1), asOf: 1 });
  expect((await keptIn(parts, state)).map(({ event }) => event.checkpointId)).toEqual([point(1).checkpointId]);
});

test("a checkpoint that is not there, a seq before the first or after the last, and two names are refused", async () => {
  const { parts, state } = await log();
  const refused = (which: Parameters<typeof momentOf>[2]) =>
    momentOf(parts, state, which).then(
      () => "found",
      (thrown: { code: string }) => thrown.code,
    );
  expect(await refused({ checkpointId: point(3).checkpointId })).toBe("checkpoint_unknown");
  expect(await refused({ seq: 0 })).toBe("checkpoint_unknown");
  await expect(momentOf(parts, state, { seq: state.head + 1 })).rejects.toMatchObject({
    code: "checkpoint_unknown",
    message: `This conversation has no event ${state.head + 1}. Its last is ${state.head}.`,
  });
  expect(await refused({ seq: 1, checkpointId: point(1).checkpointId })).toBe("bad_request");
});

const CHANGE: FileChange = { path: "a", status: "added", added: 1, removed: 0, binary: false };
const TREE = "0".repeat(40);

type Checkpointed = EventOf<"workspace.checkpointed">;
type Change = Partial<Pick<Checkpointed, "tree" | "changes">> & Partial<KeptSnapshot>;

/** A checkpoint at the start and one after a run, both changed as it is said, and what is told of the later one. */
async function told({ start = {}, from = {}, fork }: { start?: Change; from?: Change; fork?: Fork } = {}) {
  const store = memoryLogStore();
  const journal = await createJournal(store, systemClock, sampleCreated(fork === undefined ? {} : { fork }));
  const event = (number: number, reason: KeptSnapshot["reason"], { tree = TREE, changes, ...more }: Change) => ({
    type: "workspace.checkpointed" as const,
    checkpointId: point(number).checkpointId,
    tree,
    ...(changes === undefined ? { changes: [CHANGE] } : { changes }),
    snapshot: { root: point(number).root, reason, ...SUMS, ...more },
  });
  const own = [...(fork === undefined ? [event(1, "start", start)] : []), event(2, "run", from)];
  await journal.commit(() => own);
  const held = new Set([1, 2].map((number) => point(number).checkpointId));
  const parts = { store, lineages: { heldBy: async () => held } };
  const at = (number: number) => toldChanges(parts, journal.state, { start: point(1), from: point(number) });
  return Promise.all([at(1), at(2)]);
}

test("a log tells what the files of a checkpoint changed, and a fork's what it began with", async () => {
  const other = [{ ...CHANGE, path: "b" }];
  expect(await told({ start: { changes: [] } })).toEqual([[], [CHANGE]]);
  const fork = { conversationId: SAMPLE_ID, lineage: SAMPLE_ID, start: point(1), from: point(1) };
  expect(await told({ fork: { ...fork, changes: other } })).toEqual([other, [CHANGE]]);
  expect(await told({ fork })).toEqual([undefined, undefined]);
});

test.each<[string, Change]>([
  ["with files left out", { leftOutCount: 1 }],
  ["that was not compared", { tree: "" }],
  ["with more than a fork's log is to begin with", { changes: Array.from({ length: 1001 }, () => CHANGE) }],
])("nothing is told of a checkpoint %s", async (_, from) => {
  expect(await told({ from })).toEqual([[CHANGE], undefined]);
});

test("nothing is told against a start with files left out", async () => {
  expect(await told({ start: { leftOutCount: 1 } })).toEqual([undefined, undefined]);
});
