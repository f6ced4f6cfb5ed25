import type { SnapshotEntry } from "@handrail/protocol/snapshots";

/** A directory as a snapshot saw it, with its tree's name and what was in it by name, one character for each byte. */
export type KnownTree = {
  readonly tree: string;
  readonly mode: number;
  readonly mtime: string;
  readonly entries: ReadonlyMap<string, KnownEntry>;
};

/** What tells that a file is still the same. Its change time cannot be set by programs. */
export type Stamp = {
  readonly inode: bigint;
  readonly size: number;
  readonly changedNs: bigint;
  readonly modifiedNs: bigint;
};

/** `stamp` is undefined for what has to be looked at again in any case. */
export type KnownEntry = {
  readonly stamp: Stamp | undefined;
  readonly entry: SnapshotEntry;
  readonly directory: KnownTree | undefined;
};

/** Names of all objects that a tree reaches. */
export function objectsOf(known: KnownTree | undefined, into = new Set<string>()): Set<string> {
  if (known === undefined) return into;
  into.add(known.tree);
  for (const { entry, directory } of known.entries.values()) {
    if (entry.type === "file") for (const blob of entry.blobs) into.add(blob);
    objectsOf(directory, into);
  }
  return into;
}
