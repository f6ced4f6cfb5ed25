import { restoreTo } from "@handrail/core/bring-back";
import { checkpointEvents } from "@handrail/core/checkpoint";
import type { Journal } from "@handrail/core/journal";
import type { Clock } from "@handrail/core/ports/clock";
import type { LogStore } from "@handrail/core/ports/log-store";
import type { Sandbox } from "@handrail/core/ports/sandbox";
import type { Snapshots } from "@handrail/core/ports/snapshots";
import { countChanges } from "@handrail/protocol/changes";
import type { CheckpointRow, Fork } from "@handrail/protocol/checkpoints";
import type { ConversationState } from "@handrail/protocol/conversation-state";
import { AppError } from "@handrail/protocol/errors";
import type { IdPrefix } from "@handrail/protocol/ids";
import type { SnapshotEntry } from "@handrail/protocol/snapshots";
import type { Restores } from "../conversations/restores.ts";
import { type Kept, keptIn, type Moment, momentOf, toldChanges, type Which } from "./checkpoint-points.ts";
import { type Changes, changesBetween, compareTrees, findEntry } from "./compare.ts";
import type { Lineage } from "./lineage.ts";
import type { Lineages } from "./lineages.ts";
import { treesOf } from "./send.ts";

/** What users do with the checkpoints of their conversations. Who may is decided before. */
export type Checkpoints = {
  /** Latest first. */
  list(id: string): Promise<CheckpointRow[]>;
  /** Keeps the workspace as it is now. */
  create(id: string, signal: AbortSignal): Promise<CheckpointRow>;
  /** What differs; `more` when there is more than is listed. @throws AppError `checkpoint_unknown` */
  compare(id: string, range: Range & { readonly git?: "true" | "false" | undefined }): Promise<Compared>;
  /** One file at two checkpoints, base64; null where it is not there or is too large. */
  file(id: string, range: Range & { readonly path: string }): Promise<FilePair>;
  /** @throws AppError `checkpoint_unknown`, `run_active`, `restore_active`; `bad_request` when none is named, or two */
  restore(id: string, which: Which, signal: AbortSignal): Promise<RestoreDone>;
  /**
   * What a fork's log begins with; its checkpoints are held for the conversation that will have this id. `asOf` is the
   * event of the origin after which the files were like this.
   * @throws AppError `checkpoint_unknown`; `bad_request` when two are named
   */
  prepareFork(id: string, which: Which, forkId: string): Promise<{ readonly fork: Fork; readonly asOf: number }>;
};

/** Each is a checkpoint's id, or a seq. */
export type Range = { readonly from: string; readonly to: string };
/** What differs between two checkpoints, and which these are. */
export type Compared = Changes & { from: Named; to: Named };
type Named = { checkpointId: string; asOf: number };
export type FilePair = { before: string | null; after: string | null; binary: boolean };
/** Which checkpoint it is now, with the event after which the files were like this, and what was done. */
export type RestoreDone = {
  checkpointId: string;
  asOf: number;
  undo: string;
  written: number;
  removed: number;
  failed: string[];
};

export type CheckpointsParts = {
  readonly store: Pick<LogStore, "read">;
  readonly journal: (id: string) => Promise<Journal>;
  readonly open: (journal: Journal, signal: AbortSignal) => Promise<Sandbox>;
  readonly snapshots: Snapshots;
  readonly lineages: Lineages;
  readonly clock: Clock;
  readonly newId: (prefix: IdPrefix) => string;
  readonly restores: Pick<Restores, "during">;
};

const MAX_FILE_BYTES = 1024 * 1024;
const PROBE_BYTES = 8000;

export function checkpointsOf(parts: CheckpointsParts): Checkpoints {
  const { lineages } = parts;
  const inLineage = async <Value>(id: string, work: (lineage: Lineage, state: ConversationState) => Promise<Value>) => {
    const { state } = await parts.journal(id);
    return lineages.use(state.snapshots.lineage, (lineage) => work(lineage, state));
  };
  return {
    async list(id) {
      const { state } = await parts.journal(id);
      return (await keptIn(parts, state))
        .map(rowOf)
        .filter((row) => row !== undefined)
        .toReversed();
    },
    create: (id, signal) => create(parts, id, "user", signal),
    async compare(id, range) {
      const [from, to] = await Promise.all([pointOf(parts, id, range.from), pointOf(parts, id, range.to)]);
      return inLineage(id, async (lineage) => {
        const one = await treesOf(lineage, from.root);
        const other = await treesOf(lineage, to.root);
        const found = await compareTrees(from.root, to.root, (name) => one.get(name) ?? other.get(name));
        return { from: named(from), to: named(to), ...changesBetween(found, range.git === "true") };
      });
    },
    async file(id, { path, ...range }) {
      const [from, to] = await Promise.all([pointOf(parts, id, range.from), pointOf(parts, id, range.to)]);
      return inLineage(id, async (lineage) => {
        const before = await contentAt(lineage, from.root, path);
        const after = await contentAt(lineage, to.root, path);
        const binary = [before, after].some((bytes) => bytes?.subarray(0, PROBE_BYTES).includes(0) === true);
        return { before: before?.toString("base64") ?? null, after: after?.toString("base64") ?? null, binary };
      });
    },
    restore: (id, which, signal) => parts.restores.during(id, () => restore(parts, id, which, signal)),
    async prepareFork(id, which, forkId) {
      const { state } = await parts.journal(id);
      const { asOf, ...from } = await momentOf(parts, state, which);
      const start = state.snapshots.start ?? from;
      await inLineage(id, async (lineage) => {
        for (const point of [start, from]) await lineage.references.add({ conversationId: forkId, ...point });
      });
      const changes = await toldChanges(parts, state, { start, from });
      const known = changes === undefined ? {} : { changes: [...changes] };
      return { fork: { conversationId: id, lineage: state.snapshots.lineage, start, from, ...known }, asOf };
    },
  };
}

/** @throws AppError `run_active` while a run is under way */
async function restore(parts: CheckpointsParts, id: string, which: Which, signal: AbortSignal): Promise<RestoreDone> {
  const journal = await parts.journal(id);
  requireIdle(journal.state);
  if (which.checkpointId === undefined && which.seq === undefined) {
    throw new AppError("bad_request", "Name a checkpoint, or a seq.");
  }
  const { asOf, ...point } = await momentOf(parts, journal.state, which);
  // What a log says that files were restored to stays, also when steps would push it out.
  await parts.lineages.use(journal.state.snapshots.lineage, (lineage) =>
    lineage.references.add({ conversationId: id, ...point }),
  );
  const { checkpointId: undo } = await create(parts, id, "restore", signal);
  const sandbox = await parts.open(journal, signal);
  requireIdle(journal.state);
  const event = await restoreTo({ journal, snapshots: parts.snapshots }, sandbox, { point }, signal);
  const { written, removed, failed } = event;
  const some = failed.length === 0 ? "" : ` ${failed.length} could not be restored: ${failed.slice(0, 5).join("; ")}.`;
  const text = `The user restored the workspace's files to an earlier checkpoint: ${written} were written, ${removed} removed.${some} What was read or changed since may be different now.`;
  await journal.commit(() => [
    event,
    { type: "notice.added", audience: "both", code: "workspace_restored", text: text.slice(0, 4000) },
  ]);
  return { checkpointId: point.checkpointId, asOf, undo, written, removed, failed: [...failed] };
}

function requireIdle({ run }: ConversationState): void {
  if (run !== null) throw new AppError("run_active", "A run is under way. Stop it before restoring files.");
}

async function create(
  parts: CheckpointsParts,
  id: string,
  reason: "user" | "restore",
  signal: AbortSignal,
): Promise<CheckpointRow> {
  const journal = await parts.journal(id);
  const sandbox = await parts.open(journal, signal);
  const ports = { ...parts, journal, sandbox: async () => sandbox };
  const events = await checkpointEvents(ports, sandbox, reason, signal);
  const [stored] = await journal.commit(() => events);
  const row = stored?.event.type === "workspace.checkpointed" ? rowOf({ stored, event: stored.event }) : undefined;
  if (row === undefined) throw new AppError("checkpoints_unavailable", "The workspace could not be kept.");
  return row;
}

/** @throws AppError `checkpoint_unknown` */
async function pointOf(parts: CheckpointsParts, id: string, which: string): Promise<Moment> {
  const wanted = /^\d+$/.test(which) ? { seq: Number(which) } : { checkpointId: which };
  return momentOf(parts, (await parts.journal(id)).state, wanted);
}

const named = ({ checkpointId, asOf }: Moment): Named => ({ checkpointId, asOf });

function rowOf({ stored, event }: Kept): CheckpointRow | undefined {
  const { snapshot, changes = [], counts, checkpointId, tree } = event;
  if (snapshot === undefined) return undefined;
  const { root: _, ...rest } = snapshot;
  return {
    checkpointId,
    seq: stored.seq,
    at: stored.at,
    ...rest,
    asOf: snapshot.asOf ?? stored.seq,
    // Nothing was compared where that gave no tree.
    changes: tree === "" ? null : (counts ?? countChanges(changes)),
  };
}

/** A file's bytes, a link's target; undefined when there is none, or it is too large to show. */
async function contentAt(lineage: Lineage, root: string, path: string): Promise<Buffer | undefined> {
  const trees = await treesOf(lineage, root);
  let entry: SnapshotEntry | undefined = findEntry(root, path, (name) => trees.get(name));
  if (entry?.type === "twin") entry = findEntry(root, entry.of, (name) => trees.get(name));
  if (entry?.type === "link") return Buffer.from(entry.target);
  if (entry?.type !== "file" || entry.size > MAX_FILE_BYTES) return undefined;
  const blobs = await lineage.blobs(entry.blobs);
  return Buffer.concat(entry.blobs.flatMap((name) => blobs.get(name) ?? []));
}
