import { expect, test } from "vitest";
import type { FileEdit } from "./changes.ts";
import type { StoredEvent } from "./events.ts";
import { applyFileChanges, changedFiles, NO_FILE_CHANGES } from "./file-changes.ts";

const edit = (path: string): FileEdit => ({ path, created: false, added: 1, removed: 0, hunks: "@@ -1 +1,2 @@\n+a" });
const edited = (seq: number, outcome: "ok" | "error", ...edits: FileEdit[]): StoredEvent => ({
  seq,
  at: seq,
  event: { type: "call.ended", callId: "k", outcome, content: [], data: { edits }, durationMs: 1 },
});
const SUMS = { files: 1, bytes: 1, newBytes: 1, durationMs: 1, leftOut: [], leftOutCount: 0 };
const checkpoint: StoredEvent = {
  seq: 9,
  at: 9,
  event: {
    type: "workspace.checkpointed",
    checkpointId: "p",
    tree: "t",
    changes: [{ path: "b", status: "modified", added: 1, removed: 0, binary: false }],
  },
};

test("edits gather by path until a checkpoint tells everything", () => {
  const before = applyFileChanges(NO_FILE_CHANGES, [edited(1, "ok", edit("a"), edit("b")), edited(2, "ok", edit("a"))]);
  expect([...before.editedSince]).toEqual([
    ["a", 2],
    ["b", 1],
  ]);
  expect([before.seq, changedFiles(before)]).toEqual([2, 2]);
  expect(applyFileChanges(before, [checkpoint])).toEqual({
    changes: [{ path: "b", status: "modified", added: 1, removed: 0, binary: false }],
    editedSince: new Map(),
    seq: 9,
  });
});

test("edits after the event that a step's checkpoint tells of go on counting", () => {
  const snapshot = { root: "0".repeat(64), reason: "step" as const, asOf: 1, ...SUMS };
  const step: StoredEvent = { ...checkpoint, event: { ...checkpoint.event, snapshot } as StoredEvent["event"] };
  const state = applyFileChanges(NO_FILE_CHANGES, [edited(1, "ok", edit("a")), edited(2, "ok", edit("c")), step]);
  expect([[...state.editedSince], changedFiles(state)]).toEqual([[["c", 2]], 2]);
});

test("calls that failed or edited nothing leave the state as it was", () => {
  expect(applyFileChanges(NO_FILE_CHANGES, [edited(1, "error", edit("a")), edited(2, "ok")])).toBe(NO_FILE_CHANGES);
});

test("a checkpoint that does not tell of changes leaves what is known as it is", () => {
  const { changes: _, ...event } = checkpoint.event as Extract<
    StoredEvent["event"],
    { type: "workspace.checkpointed" }
  >;
  const before = applyFileChanges(NO_FILE_CHANGES, [edited(1, "ok", edit("a"))]);
  expect(applyFileChanges(before, [{ ...checkpoint, event }])).toEqual(before);
});
