import type { CheckpointReason, KeptSnapshot } from "@handrail/protocol/checkpoints";
import type { ConversationState } from "@handrail/protocol/conversation-state";
import type { OperationResult } from "@handrail/protocol/sandboxd/operations";
import type { Sandbox } from "./sandbox.ts";

/** What a snapshot is for. */
export type SnapshotWanted = { readonly checkpointId: string; readonly reason: CheckpointReason };

/** A snapshot after a step. */
export type StepWanted = {
  readonly checkpointId: string;
  /** The event after which the files are like this. */
  readonly asOf: number;
  /** Whether they are. Asked before they are looked at, and after `compare`. */
  readonly isStill: () => boolean;
  /** Looks at them for what is told beside the snapshot. Called once they were looked at and are not as they were. */
  readonly compare: () => Promise<void>;
};

/** What a restore did. `failed`: paths that are not as they were, with the reason. */
export type Restored = Pick<OperationResult<"snapshot.restore">, "written" | "removed" | "failed">;

/** Keeps all files of workspaces outside of their sandboxes, and brings them back. */
export type Snapshots = {
  /**
   * Takes a snapshot and keeps it. When it resolves, it survives the sandbox and this process.
   * @throws AppError `checkpoint_invalid` for what makes no sense, `limit_reached`, `checkpoints_unavailable`
   */
  keep(state: ConversationState, sandbox: Sandbox, wanted: SnapshotWanted, signal: AbortSignal): Promise<KeptSnapshot>;
  /** What `keep` would keep, by its name. @throws AppError as `keep` */
  rootNow(state: ConversationState, sandbox: Sandbox, signal: AbortSignal): Promise<string>;
  /**
   * The same after a step; undefined, and nothing is kept, when the files are as they were when they were last kept or
   * restored, or are no longer as they are wanted.
   * @throws AppError as `keep`
   */
  keepStep(
    state: ConversationState,
    sandbox: Sandbox,
    wanted: StepWanted,
    signal: AbortSignal,
  ): Promise<KeptSnapshot | undefined>;
  /** Lets go of a step's snapshot that the log does not tell of after all. @throws AppError `checkpoints_unavailable` */
  forgetStep(state: ConversationState, checkpointId: string): Promise<void>;
  /**
   * Makes the sandbox's workspace what the snapshot says.
   * @throws AppError `checkpoint_damaged`, `checkpoints_unavailable`, `disk_full`
   */
  restore(state: ConversationState, sandbox: Sandbox, root: string, signal: AbortSignal): Promise<Restored>;
};
