import * as z from "zod/mini";
import { FileEdit } from "../changes.ts";
import { Bytes, listOf, operation, Path } from "./operation.ts";

/** `workspace`: refuse paths that lead out of the workspace, through links too. `sandbox`: any path. */
const Within = z.enum(["workspace", "sandbox"]);
const Hash = z.string();

export const FileEntry = z.object({
  name: z.string(),
  type: z.enum(["file", "directory", "link", "other"]),
  size: Bytes,
  executable: z.boolean(),
  /** The target, for links. */
  target: z.optional(z.string()),
});
export type FileEntry = z.infer<typeof FileEntry>;

/** Files of the sandbox, and searches in them. */
export const FILE_OPERATIONS = {
  /**
   * A part of a text file, lines joined as they are in the file, or an image as base64. `hash` is of the whole file.
   * `file_binary` for other binary files. Lines over 2,000 characters are cut in `text` and counted in `cutLines`.
   */
  "file.read": operation(
    () =>
      z.strictObject({
        path: Path,
        fromLine: z.int().check(z.positive()),
        maxLines: z.int().check(z.positive(), z.maximum(10_000)),
        capBytes: Bytes,
        within: Within,
      }),
    () =>
      z.object({
        path: z.string(),
        hash: Hash,
        size: Bytes,
        text: z.optional(z.string()),
        image: z.optional(z.object({ mediaType: z.string(), data: z.string() })),
        fromLine: z.number(),
        lines: z.number(),
        totalLines: z.number(),
        cutLines: z.number(),
      }),
  ),
  /** Bytes of a file as base64, for viewers and downloads. At most 4 MiB a call. */
  "file.bytes": operation(
    () => z.strictObject({ path: Path, offset: Bytes, length: Bytes, within: Within }),
    () => z.object({ path: z.string(), size: Bytes, data: z.string() }),
  ),
  /** Writes a whole file, making directories. `file_changed` when its hash is not `expectedHash`; null: `file_exists`. */
  "file.write": operation(
    () => z.strictObject({ path: Path, text: z.string(), expectedHash: z.optional(z.nullable(Hash)) }),
    () => z.object({ path: z.string(), hash: Hash, edit: FileEdit }),
  ),
  /**
   * Replaces exact text. `edit_no_match`, `edit_not_unique` (unless `all`), `file_changed` when the file's hash is
   * not `expectedHash`. Bytes outside the match stay as they are, whatever their encoding and line ends.
   */
  "file.edit": operation(
    () =>
      z.strictObject({
        path: Path,
        oldText: z.string().check(z.minLength(1)),
        newText: z.string(),
        all: z.boolean(),
        expectedHash: z.optional(Hash),
      }),
    () => z.object({ path: z.string(), hash: Hash, edit: FileEdit, replaced: z.int() }),
  ),
  "file.list": operation(
    () => z.strictObject({ path: Path, limit: z.int().check(z.positive(), z.maximum(10_000)), within: Within }),
    () => z.object({ path: z.string(), entries: listOf(FileEntry, 10_000), more: z.boolean() }),
  ),

  /** Lines that match a regular expression (ripgrep's syntax), as `path:line:text`, sorted by path. */
  "search.content": operation(
    () =>
      z.strictObject({
        pattern: z.string().check(z.minLength(1)),
        path: Path,
        glob: z.optional(z.string()),
        ignoreCase: z.boolean(),
        contextLines: z.int().check(z.minimum(0), z.maximum(20)),
        limit: z.int().check(z.positive(), z.maximum(10_000)),
        capBytes: Bytes,
      }),
    () => z.object({ text: z.string(), matches: z.int(), files: z.int(), more: z.boolean() }),
  ),
  /** Paths that match a glob, newest first; ignored files are left out. */
  "search.files": operation(
    () =>
      z.strictObject({
        glob: z.string().check(z.minLength(1)),
        path: Path,
        limit: z.int().check(z.positive(), z.maximum(10_000)),
      }),
    () => z.object({ paths: listOf(z.string(), 10_000), more: z.boolean() }),
  ),
} as const;
