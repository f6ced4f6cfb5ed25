import * as z from "zod/mini";

/**
 * One file that differs from the workspace's start. `path` is relative to the workspace, with bytes that are not UTF-8
 * written as `\xNN`. Counts are lines; absent for binary files. `oldPath` is set for renames.
 */
export const FileChange = z.strictObject({
  path: z.string(),
  oldPath: z.optional(z.string()),
  status: z.enum(["added", "modified", "deleted", "renamed", "type"]),
  added: z.optional(z.int().check(z.nonnegative())),
  removed: z.optional(z.int().check(z.nonnegative())),
  binary: z.boolean(),
});
export type FileChange = z.infer<typeof FileChange>;

const Count = z.int().check(z.nonnegative());

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
  added: z.int().check(z.nonnegative()),
  removed: z.int().check(z.nonnegative()),
  hunks: z.string(),
});
export type FileEdit = z.infer<typeof FileEdit>;
