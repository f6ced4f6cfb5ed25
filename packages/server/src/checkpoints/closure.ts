import { AppError } from "@handrail/protocol/errors";
import {
  blobSize,
  byteText,
  MAX_SNAPSHOT_DEPTH,
  MAX_SNAPSHOT_ENTRIES,
  type SnapshotEntry,
  type SnapshotFile,
  type SnapshotTree,
} from "@handrail/protocol/snapshots";
import type { StoredObject } from "./object-index.ts";

export type TreesOf = (names: readonly string[]) => Promise<ReadonlyMap<string, SnapshotTree>>;

/** As Linux takes them (PATH_MAX). */
const MAX_PATH_BYTES = 4096;

/** All trees that a root reaches, read level by level. @throws AppError `checkpoint_invalid` when they are too deep */
export async function reachableTrees(root: string, treesOf: TreesOf): Promise<ReadonlyMap<string, SnapshotTree>> {
  const trees = new Map<string, SnapshotTree>();
  let level = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_SNAPSHOT_DEPTH) throw invalid("The snapshot is too deep.");
    const found = await treesOf(level);
    for (const [name, tree] of found) trees.set(name, tree);
    const below = new Set([...found.values()].flatMap(treesIn));
    level = [...below].filter((name) => !trees.has(name));
  }
  return trees;
}

/** The trees that a tree names. */
function treesIn(tree: SnapshotTree): string[] {
  return tree.entries.flatMap((entry) => (entry.type === "directory" ? [entry.tree] : []));
}

/** The blobs that a tree's files are made of. */
export function blobsIn(tree: SnapshotTree): string[] {
  return tree.entries.flatMap((entry) => (entry.type === "file" ? entry.blobs : []));
}

/** What a snapshot has in it, counted by paths. */
export type Counted = { readonly files: number; readonly bytes: number };

/**
 * Checks a whole snapshot: every piece is there with the size that its file says, and a second name of a file names
 * one that comes before it. A directory that is in many places counts in each, so that small trees cannot unfold to
 * a huge one.
 * @throws AppError `checkpoint_invalid`
 */
export function checkSnapshot(
  root: string,
  trees: ReadonlyMap<string, SnapshotTree>,
  objects: (name: string) => StoredObject | undefined,
): Counted {
  const counts = { files: 0, bytes: 0, entries: 0 };
  const seen = new Set<string>();
  const checkBlobs = (entry: SnapshotFile): void => {
    for (const [index, name] of entry.blobs.entries()) {
      const blob = objects(name);
      if (blob?.kind !== "blob" || blob.size !== blobSize(entry, index)) throw invalid("A piece of a file is missing.");
    }
    counts.files += 1;
    counts.bytes += entry.size;
  };
  const check = (entry: SnapshotEntry, path: string, depth: number): void => {
    if (entry.type === "directory") return walk(entry.tree, path, depth + 1);
    if (entry.type === "left-out") return;
    if (entry.type === "twin") {
      if (!seen.has(byteText(entry.of))) throw invalid("A second name of a file names none.");
      return;
    }
    seen.add(path);
    if (entry.type === "file") checkBlobs(entry);
  };
  const walk = (name: string, path: string, depth: number): void => {
    const tree = trees.get(name);
    if (tree === undefined || depth > MAX_SNAPSHOT_DEPTH) throw invalid("A directory of the snapshot is missing.");
    counts.entries += tree.entries.length;
    if (path.length > MAX_PATH_BYTES) throw invalid("A path of the snapshot is too long.");
    if (counts.entries > MAX_SNAPSHOT_ENTRIES) throw invalid("The snapshot has too many files.");
    for (const entry of tree.entries) check(entry, `${path === "" ? "" : `${path}/`}${byteText(entry.name)}`, depth);
  };
  walk(root, "", 0);
  return { files: counts.files, bytes: counts.bytes };
}

const invalid = (message: string) => new AppError("checkpoint_invalid", message);
