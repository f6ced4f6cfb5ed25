import { AppError } from "@handrail/protocol/errors";
import {
  blobSize,
  byteText,
  MAX_SNAPSHOT_DEPTH,
  MAX_SNAPSHOT_ENTRIES,
  type SnapshotFile,
  type SnapshotTree,
} from "@handrail/protocol/snapshots";
import { checkTwins } from "./check-twins.ts";
import type { StoredObject } from "./object-index.ts";
import { eachInTurn, turns } from "./turns.ts";

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
    const below = new Set<string>();
    for (const { entries } of found.values()) {
      await eachInTurn(entries, (entry) => {
        if (entry.type === "directory" && !trees.has(entry.tree)) below.add(entry.tree);
      });
    }
    level = [...below];
  }
  return trees;
}

/** The blobs that files of trees are made of. */
export async function blobsIn(trees: Iterable<SnapshotTree>): Promise<Set<string>> {
  const blobs = new Set<string>();
  for (const { entries } of trees) {
    await eachInTurn(entries, (entry) => {
      if (entry.type === "file") for (const name of entry.blobs) blobs.add(name);
    });
  }
  return blobs;
}

/** What a snapshot has in it, counted by paths. */
export type Counted = { readonly files: number; readonly bytes: number };

/**
 * What was found of a directory whose pieces are all there, with all below it: how deep it goes, the longest path of a
 * directory in it, and whether any file in it has a second name. It holds for as long as the pieces stay.
 */
export type Checked = Counted & {
  readonly entries: number;
  readonly depth: number;
  readonly longest: number;
  readonly twins: boolean;
};

/** `before` has directories that were checked earlier; `checked` those that were checked now. */
export type CheckedSnapshot = Counted & { readonly checked: ReadonlyMap<string, Checked> };

/**
 * Checks a whole snapshot: every piece is there with the size that its file says, and a second name of a file names
 * one that comes before it. A directory that is in many places counts in each, so that small trees cannot unfold to
 * a huge one; it is looked at once. However many there are, others get their turns.
 * @throws AppError `checkpoint_invalid`
 */
export async function checkSnapshot(
  root: string,
  trees: ReadonlyMap<string, SnapshotTree>,
  objects: (name: string) => StoredObject | undefined,
  before: { get(name: string): Checked | undefined } = new Map(),
): Promise<CheckedSnapshot> {
  const checked = new Map<string, Checked>();
  const treeAt = (name: string): SnapshotTree => {
    const tree = trees.get(name);
    if (tree === undefined) throw invalid("A directory of the snapshot is missing.");
    return tree;
  };
  const known = (name: string) => before.get(name) ?? checked.get(name);
  const check = async (name: string): Promise<Checked> => {
    const found = await sumOf(treeAt(name), objects, (below) => known(below) ?? check(below));
    checked.set(name, found);
    return found;
  };
  const { files, bytes, twins } = known(root) ?? (await check(root));
  if (twins) await checkTwins(root, { treeAt, checked: (name) => known(name) ?? NOTHING });
  return { files, bytes, checked };
}

const NOTHING: Checked = { files: 0, bytes: 0, entries: 0, depth: 0, longest: 0, twins: false };

/** @throws AppError `checkpoint_invalid` */
async function sumOf(
  tree: SnapshotTree,
  objects: (name: string) => StoredObject | undefined,
  check: (name: string) => Checked | Promise<Checked>,
): Promise<Checked> {
  const sum = { ...NOTHING, entries: tree.entries.length };
  const rest = turns();
  for (const entry of tree.entries) {
    const resting = rest();
    if (resting !== undefined) await resting;
    if (entry.type === "file") {
      checkBlobs(entry, objects);
      sum.files += 1;
      sum.bytes += entry.size;
    } else if (entry.type === "directory") addBelow(sum, entry.name, await check(entry.tree));
    else if (entry.type === "twin") sum.twins = true;
  }
  if (sum.depth > MAX_SNAPSHOT_DEPTH) throw invalid("The snapshot is too deep.");
  if (sum.longest > MAX_PATH_BYTES) throw invalid("A path of the snapshot is too long.");
  if (sum.entries > MAX_SNAPSHOT_ENTRIES) throw invalid("The snapshot has too many files.");
  return sum;
}

function addBelow(sum: { -readonly [Key in keyof Checked]: Checked[Key] }, name: string, below: Checked): void {
  sum.files += below.files;
  sum.bytes += below.bytes;
  sum.entries += below.entries;
  sum.depth = Math.max(sum.depth, below.depth + 1);
  const { length } = byteText(name);
  sum.longest = Math.max(sum.longest, below.longest === 0 ? length : length + 1 + below.longest);
  sum.twins ||= below.twins;
}

function checkBlobs(entry: SnapshotFile, objects: (name: string) => StoredObject | undefined): void {
  for (const [index, name] of entry.blobs.entries()) {
    const blob = objects(name);
    if (blob?.kind !== "blob" || blob.size !== blobSize(entry, index)) throw invalid("A piece of a file is missing.");
  }
}

const invalid = (message: string) => new AppError("checkpoint_invalid", message);
