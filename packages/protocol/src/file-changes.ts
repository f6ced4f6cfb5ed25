import type { FileChange } from "./changes.ts";
import type { EventOf, StoredEvent } from "./events.ts";

/**
 * What the log knows of the workspace's files. `changes` are those of the last checkpoint, against the start;
 * `editedSince` are paths that calls edited after what it tells of, each with the `seq` of its last edit: they count
 * until the next checkpoint tells all.
 */
export type FileChanges = {
  readonly changes: readonly FileChange[];
  readonly editedSince: ReadonlyMap<string, number>;
  /** The `seq` of the last event that changed this; -1 before the first. */
  readonly seq: number;
};

export const NO_FILE_CHANGES: FileChanges = { changes: [], editedSince: new Map(), seq: -1 };

/** The file changes after more events, in order. Pure. */
export function applyFileChanges(state: FileChanges, events: readonly StoredEvent[]): FileChanges {
  return events.reduce(applyOne, state);
}

function applyOne(state: FileChanges, { seq, event }: StoredEvent): FileChanges {
  if (event.type === "workspace.restored") return { changes: event.changes, editedSince: new Map(), seq };
  if (event.type === "workspace.checkpointed") return checkpointed(state, event, seq);
  const edits = event.type === "call.ended" && event.outcome === "ok" ? (event.data.edits ?? []) : [];
  if (edits.length === 0) return state;
  const editedSince = new Map(state.editedSince);
  for (const { path } of edits) editedSince.set(path, seq);
  return { ...state, editedSince, seq };
}

function checkpointed(
  state: FileChanges,
  { changes, snapshot }: EventOf<"workspace.checkpointed">,
  seq: number,
): FileChanges {
  if (changes === undefined) return state;
  // A checkpoint after a step comes when later calls may have edited more.
  const asOf = snapshot?.asOf ?? seq;
  const later = [...state.editedSince].filter(([, editedAt]) => editedAt > asOf);
  return { changes, editedSince: new Map(later), seq };
}

/** How many files differ as far as the log tells, edits since the checkpoint included. */
export function changedFiles(state: FileChanges): number {
  return new Set([...state.changes.map((change) => change.path), ...state.editedSince.keys()]).size;
}
