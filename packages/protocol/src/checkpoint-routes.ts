import { z } from "zod";
import { FileChange } from "./changes.ts";
import { CheckpointRow } from "./checkpoints.ts";
import { ContentPart } from "./content.ts";
import { CheckpointId } from "./ids.ts";
import { OneConversation, type Route } from "./route.ts";
import { ConversationSummary } from "./summary.ts";

/** A checkpoint's id, or an event's number: the newest checkpoint that tells of the files at this event or before it. */
const CheckpointOrSeq = z
  .string()
  .regex(/^(?:p_[0-9a-hjkmnp-tv-z]{20}|[0-9]{1,15})$/, "must be a checkpoint's id or a seq");
const TwoCheckpoints = z.strictObject({ from: CheckpointOrSeq, to: CheckpointOrSeq });

const Seq = z.number().int().nonnegative();
/** A checkpoint, and the event after which the files were like this. */
const MOMENT = { checkpointId: CheckpointId, asOf: Seq };
/** One of the two. `seq`: the newest checkpoint that tells of the files at this event or before it. */
const WHICH = { checkpointId: CheckpointId.optional(), seq: Seq.optional() };

/** A conversation's checkpoints: all files of its workspace as they were. */
export const CHECKPOINT_ROUTES = {
  checkpoints: {
    method: "GET",
    path: "/api/conversations/:id/checkpoints",
    access: "session",
    summary: "Checkpoints of the workspace, latest first",
    params: OneConversation,
    response: z.object({ checkpoints: z.array(CheckpointRow) }),
    status: 200,
  },
  createCheckpoint: {
    method: "POST",
    path: "/api/conversations/:id/checkpoints",
    access: "session",
    summary: "Keep the workspace as it is now",
    params: OneConversation,
    response: CheckpointRow,
    status: 201,
  },
  checkpointChanges: {
    method: "GET",
    path: "/api/conversations/:id/checkpoints/diff",
    access: "session",
    summary:
      "Files that differ between two checkpoints, each by its id or a seq; git's own (.git) where they are asked for",
    params: OneConversation,
    query: TwoCheckpoints.extend({ git: z.enum(["true", "false"]).optional() }),
    response: z.object({
      from: z.object(MOMENT),
      to: z.object(MOMENT),
      changes: z.array(FileChange),
      more: z.boolean(),
      /** How many files of git's own differ too and are not among the changes. */
      leftOut: z.number().int().nonnegative(),
    }),
    status: 200,
  },
  checkpointFile: {
    method: "GET",
    path: "/api/conversations/:id/checkpoints/file",
    access: "session",
    summary: "One file at two checkpoints, each by its id or a seq, base64",
    params: OneConversation,
    query: TwoCheckpoints.extend({ path: z.string().min(1).max(8192) }),
    response: z.object({ before: z.string().nullable(), after: z.string().nullable(), binary: z.boolean() }),
    status: 200,
  },
  restoreCheckpoint: {
    method: "POST",
    path: "/api/conversations/:id/restore",
    access: "session",
    summary: "Make the workspace what it was at a checkpoint or a seq; what it is now is kept as another",
    params: OneConversation,
    body: z.strictObject(WHICH),
    response: z.object({
      ...MOMENT,
      undo: CheckpointId,
      written: z.number(),
      removed: z.number(),
      failed: z.array(z.string()),
    }),
    status: 200,
  },
  forkConversation: {
    method: "POST",
    path: "/api/conversations/:id/fork",
    access: "session",
    summary: "A new conversation with the files of a checkpoint or a seq; with content, start its first run",
    params: OneConversation,
    body: z.strictObject({
      /** Both absent: the latest. */
      ...WHICH,
      title: z.string().min(1).max(200).optional(),
      content: z.array(ContentPart).min(1).max(64).optional(),
    }),
    response: ConversationSummary.extend({ forkedFrom: z.object(MOMENT) }),
    status: 201,
  },
} as const satisfies Record<string, Route>;
