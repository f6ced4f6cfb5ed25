import type { WorkspaceSource } from "@handrail/protocol/sources";

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
