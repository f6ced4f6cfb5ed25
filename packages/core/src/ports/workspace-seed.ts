import type { WorkspaceSource } from "@handrail/protocol/sources";
import type { Sandbox } from "./sandbox.ts";

/** First files of a workspace, in a directory of the server's host that nothing else uses. */
export type Seed = {
  readonly directory: string;
  /** Removes the directory if it is still there. Best effort; never throws. */
  dispose(): Promise<void>;
};

/**
 * Fetches the first files of a workspace: clones, or copies a folder; an empty directory for `empty`.
 * @throws AppError `source_invalid`, `source_too_large`, `git_failed`
 */
export type PrepareSeed = (
  source: WorkspaceSource,
  onProgress: (text: string) => void,
  signal: AbortSignal,
) => Promise<Seed>;

/**
 * Puts first files into the workspace of a sandbox that runs already and that nobody has worked in; what is there goes.
 * The seed stays as it is. What fails has put a part of them there, and can be done again.
 * @throws AppError `disk_full`, `sandbox_failed`, `sandbox_gone`; the signal's reason when aborted
 */
export type FillWorkspace = (sandbox: Sandbox, seed: Seed, signal: AbortSignal) => Promise<void>;
