import { z } from "zod";
import { ChangeCounts, FileChange } from "./changes.ts";
import { ContentPart } from "./content.ts";
import { CheckpointId, ConversationId, MessageId, SandboxId } from "./ids.ts";
import { Limits } from "./limits.ts";
import { Fork, KeptSnapshot, RootName } from "./checkpoints.ts";
import { SetupChoice } from "./setup.ts";
import { BackendName, NetworkRule, SandboxChoice, WorkspaceSource } from "./sources.ts";

/**
 * The first event of every log. `model` is the model's id in the settings; `teamId` is null for a personal one. A fork
 * has its origin's source, and its first files from a checkpoint.
 */
export const ConversationCreated = z.strictObject({
  type: z.literal("conversation.created"),
  conversationId: ConversationId,
  ownerId: z.string(),
  teamId: z.string().nullable(),
  title: z.string(),
  source: WorkspaceSource,
  sandbox: SandboxChoice,
  model: z.string(),
  limits: Limits,
  runLimits: Limits,
  fork: Fork.optional(),
  /** Absent: the repository's own. */
  setup: SetupChoice.optional(),
  /** The id is that of a spare, whose workspace does not have the first files yet. */
  spare: z.literal(true).optional(),
});

export const ConversationRenamed = z.strictObject({
  type: z.literal("conversation.renamed"),
  title: z.string(),
  by: z.enum(["user", "system"]),
});

export const ConversationArchived = z.strictObject({ type: z.literal("conversation.archived") });
export const ConversationUnarchived = z.strictObject({ type: z.literal("conversation.unarchived") });

/** Settings changed from here on; an absent field stays as it was. */
export const ConversationConfigured = z.strictObject({
  type: z.literal("conversation.configured"),
  model: z.string().optional(),
  limits: Limits.optional(),
  runLimits: Limits.optional(),
  network: NetworkRule.optional(),
});

/** A user's message. During a run the model reads it at the next step. */
export const MessageAdded = z.strictObject({
  type: z.literal("message.added"),
  messageId: MessageId,
  userId: z.string(),
  content: z.array(ContentPart).min(1),
});

/**
 * A sentence from Handrail itself. With audience `model` it enters the prompt (as a user-role message), with `user`
 * it is only shown, with `both` it is both. `code` says why, for programs.
 */
export const NoticeAdded = z.strictObject({
  type: z.literal("notice.added"),
  audience: z.enum(["model", "user", "both"]),
  code: z.string(),
  text: z.string(),
});

/** The workspace holds its first files. `commit` is the checked-out commit where the source is a git repository. */
export const WorkspacePrepared = z.strictObject({
  type: z.literal("workspace.prepared"),
  commit: z.string().optional(),
  branch: z.string().optional(),
  files: z.number().int().nonnegative(),
  bytes: z.number().int().nonnegative(),
});

/**
 * The workspace as it was now. `tree` names it in the sandbox's own git, empty where there is none; `changes` are
 * against the start; absent where they are too many to be told after each step, or could not be told. `counts` are
 * then theirs, as far as they are known. `snapshot`: all of its files are kept, and can be restored.
 */
export const WorkspaceCheckpointed = z.strictObject({
  type: z.literal("workspace.checkpointed"),
  checkpointId: CheckpointId,
  tree: z.string(),
  changes: z.array(FileChange).optional(),
  counts: z.optional(ChangeCounts),
  snapshot: KeptSnapshot.optional(),
});

/** The workspace vanished against our will: it is brought back from the latest checkpoint before it is used. */
export const WorkspaceLost = z.strictObject({ type: z.literal("workspace.lost"), detail: z.string() });

/**
 * The workspace is again as it was at a checkpoint. `failed`: paths that are not, with the reason. `changes` are
 * against the start.
 */
export const WorkspaceRestored = z.strictObject({
  type: z.literal("workspace.restored"),
  checkpointId: CheckpointId,
  root: RootName,
  written: z.number().int().nonnegative(),
  removed: z.number().int().nonnegative(),
  failed: z.array(z.string()),
  changes: z.array(FileChange),
});

/** A repository's own instructions for agents, put into the prompt. `text` is already cut to its cap. */
export const InstructionsLoaded = z.strictObject({
  type: z.literal("instructions.loaded"),
  path: z.string(),
  text: z.string(),
});

/** `bootId` names this start of sandboxd: calls sent to another start of it can no longer be asked about. */
export const SandboxStarted = z.strictObject({
  type: z.literal("sandbox.started"),
  sandboxId: SandboxId,
  backend: BackendName,
  bootId: z.string(),
  image: z.string().optional(),
  durationMs: z.number().nonnegative(),
});

export const SandboxStopped = z.strictObject({
  type: z.literal("sandbox.stopped"),
  sandboxId: SandboxId,
  reason: z.enum(["idle", "archived", "deleted", "shutdown", "user"]),
});

/** The sandbox is gone against our will. Its calls under way end as `lost`. */
export const SandboxLost = z.strictObject({
  type: z.literal("sandbox.lost"),
  sandboxId: SandboxId,
  detail: z.string(),
});

/** The user took the result out. `ref` is the branch, or the file's name for a patch. */
export const ResultDelivered = z.strictObject({
  type: z.literal("result.delivered"),
  kind: z.enum(["patch", "applied", "branch", "push"]),
  ref: z.string(),
  commit: z.string().optional(),
  files: z.number().int().nonnegative(),
});
