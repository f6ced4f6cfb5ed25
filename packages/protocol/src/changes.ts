import { z } from "zod";

/**
 * One file that differs from the workspace's start. `path` is relative to the workspace, with bytes that are not UTF-8
 * written as `\xNN`. Counts are lines; absent for binary files. `oldPath` is set for renames.
 */
export const FileChange = z.strictObject({
  path: z.string(),
  oldPath: z.string().optional(),
  status: z.enum(["added", "modified", "deleted", "renamed", "type"]),
  added: z.number().int().nonnegative().optional(),
  removed: z.number().int().nonnegative().optional(),
  binary: z.boolean(),
});
export type FileChange = z.infer<typeof FileChange>;

const Count = z.number().int().nonnegative();

/** How much differs: files, and lines of those that are text. */
export const ChangeCounts = z.object({ files: Count, added: Count, removed: Count });
export type ChangeCounts = z.infer<typeof ChangeCounts>;

export function countChanges(changes: readonly FileChange[]): ChangeCounts {
  return {
    files: changes.length,
    added: changes.reduce((sum, change) => sum + (change.added ?? 0), 0),
    removed: changes.reduce((sum, change) => sum + (change.removed ?? 0), 0),
  };
}

/** One edit made by a call: the path, and its hunks as unified diff text without file headers. */
export const FileEdit = z.strictObject({
  path: z.string(),
  created: z.boolean(),
  added: z.number().int().nonnegative(),
  removed: z.number().int().nonnegative(),
  hunks: z.string(),
});
export type FileEdit = z.infer<typeof FileEdit>;
