import type { SnapshotEntry } from "@handrail/protocol/snapshots";
import { z } from "zod";

/** A directory as a snapshot saw it, with its tree's name and what was in it by name, one character for each byte. */
export type KnownTree = {
  readonly tree: string;
  readonly mode: number;
  readonly mtime: string;
  readonly entries: ReadonlyMap<string, KnownEntry>;
};

/** What tells that a file is still the same. Its change time cannot be set by programs. */
export type Stamp = { readonly inode: bigint; readonly size: bigint; readonly changedNs: bigint };

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

type Stored = {
  tree: string;
  mode: number;
  mtime: string;
  entries: [string, string[] | null, SnapshotEntry, Stored | null][];
};

const Stored: z.ZodType<Stored> = z.lazy(() =>
  z.object({
    tree: z.string(),
    mode: z.number(),
    mtime: z.string(),
    entries: z.array(
      z.tuple([z.string(), z.array(z.string()).nullable(), z.custom<SnapshotEntry>(), Stored.nullable()]),
    ),
  }),
);

/** As JSON can hold it, for the state directory. */
export function storedTree({ tree, mode, mtime, entries }: KnownTree): Stored {
  return {
    tree,
    mode,
    mtime,
    entries: [...entries].map(([name, { stamp, entry, directory }]) => [
      name,
      stamp === undefined ? null : [stamp.inode, stamp.size, stamp.changedNs].map(String),
      entry,
      directory === undefined ? null : storedTree(directory),
    ]),
  };
}

/** @throws when it is not what `storedTree` gave */
export function readStoredTree(value: unknown): KnownTree {
  return opened(Stored.parse(value));
}

const opened = ({ tree, mode, mtime, entries }: Stored): KnownTree => ({
  tree,
  mode,
  mtime,
  entries: new Map(
    entries.map(([name, stamp, entry, directory]) => [
      name,
      { stamp: openedStamp(stamp), entry, directory: directory === null ? undefined : opened(directory) },
    ]),
  ),
});

function openedStamp(stamp: readonly string[] | null): Stamp | undefined {
  if (stamp === null) return undefined;
  const [inode = 0n, size = 0n, changedNs = 0n] = stamp.map(BigInt);
  return { inode, size, changedNs };
}
