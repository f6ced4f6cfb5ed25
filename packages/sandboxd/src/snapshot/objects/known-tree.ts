import type { SnapshotEntry } from "@handrail/protocol/snapshots";
import { Turns } from "../turns.ts";

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

/** Names of all objects that a tree reaches, found in turns. */
export async function objectsOf(known: KnownTree | undefined, turns = new Turns()): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  const open = known === undefined ? [] : [known];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    names.add(next.tree);
    for (const { entry, directory } of next.entries.values()) {
      if (turns.isOver) await turns.rest();
      const blobs = entry.type === "file" ? entry.blobs : [];
      for (const blob of blobs) names.add(blob);
      if (directory !== undefined) open.push(directory);
    }
  }
  return names;
}
