import * as z from "zod/mini";
import { FileChange } from "../changes.ts";
import { ObjectName, SaidFailure, SaidLeftOut, SnapshotRules } from "../snapshots.ts";
import { Bytes, listOf, operation, Part, Path } from "./operation.ts";

/** `LeftOutFiles`, as a sandbox may say it. */
const leftOutFiles = () => z.object({ files: listOf(SaidLeftOut, 100), count: Bytes });

/** The workspace as a whole: its first files, what changed, and snapshots of it. */
export const WORKSPACE_OPERATIONS = {
  /**
   * The next part of a tar archive, whose files become the workspace's first. With `offset` 0 it begins anew,
   * and what the workspace holds goes. Not after `workspace.begin`.
   */
  "workspace.fill": operation(
    () => z.strictObject({ offset: Bytes, data: Part, last: z.boolean() }),
    () => z.object({ size: Bytes }),
  ),
  /** Remembers the workspace as it is now as its start, unless one is remembered. `tree` names it. Needs git. */
  "workspace.begin": operation(
    () => z.strictObject({}),
    () =>
      z.object({
        tree: z.string(),
        files: z.int(),
        bytes: Bytes,
        commit: z.optional(z.string()),
        branch: z.optional(z.string()),
      }),
  ),
  /** Snapshots the workspace and says what differs from its start. `leftOut`: what is too large to be compared. */
  "workspace.changes": operation(
    () => z.strictObject({}),
    () => z.object({ tree: z.string(), changes: listOf(FileChange), leftOut: z.optional(leftOutFiles()) }),
  ),
  /** One file before and after, as base64, each null where the file is not there or is over `capBytes`. */
  "workspace.file": operation(
    () => z.strictObject({ path: Path, capBytes: Bytes }),
    () => z.object({ before: z.nullable(z.string()), after: z.nullable(z.string()), binary: z.boolean() }),
  ),
  /**
   * A patch from the start to now that `git apply` takes, binary files included, as base64, from `offset` on. One that
   * would be too large is `file_too_large`.
   */
  "workspace.patch": operation(
    () => z.strictObject({ offset: Bytes, length: Bytes }),
    () => z.object({ data: z.string(), size: Bytes, leftOut: z.optional(leftOutFiles()) }),
  ),

  /**
   * Takes a snapshot of the workspace. Its objects that are not in `base`, the snapshot that was last kept, wait to be
   * read. `leftOut` has the first of what was left out. Reads only what changed since `base`; all, when that is null or
   * another than sandboxd knows.
   */
  "snapshot.take": operation(
    () => z.extend(SnapshotRules, { base: z.nullable(ObjectName) }),
    () =>
      z.object({
        root: ObjectName,
        files: Bytes,
        bytes: Bytes,
        newObjects: Bytes,
        packBytes: Bytes,
        leftOut: listOf(SaidLeftOut, 100),
        leftOutCount: Bytes,
        durationMs: z.number().check(z.nonnegative()),
      }),
  ),
  /** Frames of the objects that the last snapshot brought (`object-frames.ts`), base64, at most 4 MiB a call. */
  "snapshot.read": operation(
    () => z.strictObject({ root: ObjectName, offset: Bytes, length: Bytes }),
    () => z.object({ data: z.string(), size: Bytes }),
  ),
  /** The snapshot is kept: it is the base of the next one. */
  "snapshot.keep": operation(
    () => z.strictObject({ root: ObjectName }),
    () => z.object({}),
  ),
  /**
   * Frames of objects for a restore, in order; `offset` 0 begins anew. `fill` says that all directories of a
   * snapshot were put with this: a workspace without files gets them while their pieces come. `snapshot.restore` of the
   * same ends it.
   */
  "snapshot.put": operation(
    () =>
      z.strictObject({
        offset: Bytes,
        data: Part,
        fill: z.optional(z.extend(SnapshotRules, { root: ObjectName })),
      }),
    () => z.object({ size: Bytes }),
  ),
  /**
   * Makes the workspace what the snapshot says, from the objects that were put and from files that are as they should
   * be. Leaves what a snapshot would leave out. `needed`: objects that are missing; nothing was changed then.
   */
  "snapshot.restore": operation(
    () => z.extend(SnapshotRules, { root: ObjectName }),
    () =>
      z.object({
        needed: listOf(ObjectName, 50_000),
        written: Bytes,
        removed: Bytes,
        failed: listOf(SaidFailure, 100),
      }),
  ),
} as const;
