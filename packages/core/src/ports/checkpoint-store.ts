/** Bytes from `offset` on. */
export type ByteRange = { readonly offset: number; readonly length: number };

/**
 * Where snapshots are kept: bytes under paths of one or more parts between `/`, each of 1 to 128 of a-z, 0-9, `_`, `-`
 * and `.`, none starting with a dot. What is in the bytes is none of its business: they are encrypted.
 */
export type CheckpointStore = {
  /** Keeps bytes, whole or not at all; those that were there before are replaced. Durable when it resolves. */
  put(path: string, bytes: Uint8Array): Promise<void>;
  /** All bytes, or a range that must lie within. @throws AppError `checkpoint_damaged` when they are not there */
  get(path: string, range?: ByteRange): Promise<Uint8Array>;
  /** Paths that begin with `prefix`, which ends with `/` or is empty, in order. */
  list(prefix: string): Promise<readonly string[]>;
  /** No error when there is none. */
  remove(path: string): Promise<void>;
};

/** Every method @throws AppError `checkpoints_unavailable`, `storage_full` as the store behind it fails. */
export type OpenCheckpointStore = () => Promise<CheckpointStore>;
