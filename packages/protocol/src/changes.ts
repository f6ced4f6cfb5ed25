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

/** One edit made by a call: the path, and its hunks as unified diff text without file headers. */
export const FileEdit = z.strictObject({
  path: z.string(),
  created: z.boolean(),
  added: z.number().int().nonnegative(),
  removed: z.number().int().nonnegative(),
  hunks: z.string(),
});
export type FileEdit = z.infer<typeof FileEdit>;
