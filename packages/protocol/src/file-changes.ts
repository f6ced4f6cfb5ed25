import type { FileChange, FileEdit } from "./changes.ts";
import type { StoredEvent } from "./events.ts";

/**
 * What the log knows of the workspace's files. `changes` are those of the last checkpoint, against the start;
 * `editedSince` are edits that calls made after it, by path, oldest first: shown until the next checkpoint tells all.
 */
export type FileChanges = {
  readonly changes: readonly FileChange[];
  readonly editedSince: ReadonlyMap<string, readonly FileEdit[]>;
  /** The `seq` of the last event that changed this; -1 before the first. */
  readonly seq: number;
};

export const NO_FILE_CHANGES: FileChanges = { changes: [], editedSince: new Map(), seq: -1 };

/** The file changes after more events, in order. Pure. */
export function applyFileChanges(state: FileChanges, events: readonly StoredEvent[]): FileChanges {
  return events.reduce(applyOne, state);
}

function applyOne(state: FileChanges, { seq, event }: StoredEvent): FileChanges {
  if (event.type === "workspace.checkpointed" || event.type === "workspace.restored")
    return { changes: event.changes, editedSince: new Map(), seq };
  const edits = event.type === "call.ended" && event.outcome === "ok" ? (event.data.edits ?? []) : [];
  if (edits.length === 0) return state;
  const editedSince = new Map(state.editedSince);
  for (const edit of edits) editedSince.set(edit.path, [...(editedSince.get(edit.path) ?? []), edit]);
  return { ...state, editedSince, seq };
}

/** How many files differ as far as the log tells, edits since the checkpoint included. */
export function changedFiles(state: FileChanges): number {
  return new Set([...state.changes.map((change) => change.path), ...state.editedSince.keys()]).size;
}
