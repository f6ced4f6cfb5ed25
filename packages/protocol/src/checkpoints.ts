import { z } from "zod";
import { FileChange } from "./changes.ts";
import { CheckpointId, ConversationId } from "./ids.ts";
import { LeftOut, ObjectName } from "./snapshots.ts";

/** Names a whole snapshot: the tree of the workspace's own directory. */
export const RootName = ObjectName;

/** Why a checkpoint was made: at the workspace's start, after a step or a run, asked for, or before a restore. */
export const CheckpointReason = z.enum(["start", "step", "run", "user", "restore"]);
export type CheckpointReason = z.infer<typeof CheckpointReason>;

const Count = z.number().int().nonnegative();

/**
 * A snapshot that is stored. `bytes` of `files` files; `newBytes` is what it added to the store. `leftOut` has the first
 * of what is not in it, `leftOutCount` says how many there are. `asOf`: the event after which the workspace was like
 * this; absent when it is the checkpoint's own.
 */
export const KeptSnapshot = z.strictObject({
  root: RootName,
  reason: CheckpointReason,
  files: Count,
  bytes: Count,
  newBytes: Count,
  durationMs: z.number().nonnegative(),
  leftOut: z.array(LeftOut),
  leftOutCount: Count,
  asOf: Count.optional(),
});
export type KeptSnapshot = z.infer<typeof KeptSnapshot>;

/** A checkpoint by its id and what it names. */
export const CheckpointPoint = z.strictObject({ checkpointId: CheckpointId, root: RootName });
export type CheckpointPoint = z.infer<typeof CheckpointPoint>;

/**
 * Where a fork's first files come from. `lineage` is the first conversation of the family: snapshots are shared within
 * it alone. `start` is what the origin's changes are against; `changes` are those at `from`, where the origin's log has
 * them of just these files.
 */
export const Fork = z.strictObject({
  conversationId: ConversationId,
  lineage: ConversationId,
  start: CheckpointPoint,
  from: CheckpointPoint,
  changes: z.array(FileChange).optional(),
});
export type Fork = z.infer<typeof Fork>;

/** A checkpoint as lists show it. `at` is Unix time in milliseconds. */
export const CheckpointRow = z.object({
  checkpointId: CheckpointId,
  seq: Count,
  at: z.number(),
  reason: CheckpointReason,
  files: Count,
  bytes: Count,
  newBytes: Count,
  durationMs: z.number(),
  leftOut: z.array(LeftOut),
  leftOutCount: Count,
  /** The event after which the workspace was like this. */
  asOf: Count,
  /** Against the workspace's start; null where that is not known. */
  changes: z.object({ files: Count, added: Count, removed: Count }).nullable(),
});
export type CheckpointRow = z.infer<typeof CheckpointRow>;
