import { encodeTree, type SnapshotEntry, type SnapshotTree } from "@handrail/protocol/snapshots";
import { expect, test } from "vitest";
import { checkSnapshot, type Checked } from "./closure.ts";
import { nameOf } from "./object-content.ts";
import type { StoredObject } from "./object-index.ts";

const BLOB = nameOf("blob", Buffer.from("text"));
const stored: StoredObject = { kind: "blob", size: 4, pack: "p", offset: 0, length: 4 };
const all = (name: string) => (name === BLOB ? stored : undefined);

const file = (name: string): SnapshotEntry => ({ type: "file", name, mode: 0o644, mtime: "0", size: 4, blobs: [BLOB] });
const twin = (name: string, of: string): SnapshotEntry => ({ type: "twin", name, of });
const folder = (name: string, tree: string): SnapshotEntry => ({ type: "directory", name, tree });

/** Adds a directory; gives its name. */
function add(trees: Map<string, SnapshotTree>, ...entries: SnapshotEntry[]): string {
  const tree = { mode: 0o755, mtime: "0", entries };
  const name = nameOf("tree", encodeTree(tree));
  trees.set(name, tree);
  return name;
}

test("directories that were checked before count as if they were looked at, in each place", async () => {
  const trees = new Map<string, SnapshotTree>();
  const below = add(trees, file("a"), file("b"));
  const first = await checkSnapshot(add(trees, folder("d", below)), trees, all);
  const root = add(trees, file("c"), folder("d", below), folder("e", below));
  const anew = await checkSnapshot(root, trees, all);
  const looked: string[] = [];
  const again = await checkSnapshot(root, trees, (name) => (looked.push(name), all(name)), first.checked);
  expect(anew).toMatchObject({ files: 5, bytes: 20 });
  expect({ ...again, checked: again.checked.get(root) }).toEqual({ ...anew, checked: anew.checked.get(root) });
  expect([looked, [...again.checked.keys()]]).toEqual([[BLOB], [root]]);
});

test("a second name in a directory that was checked before must still name a file of this snapshot", async () => {
  const trees = new Map<string, SnapshotTree>();
  const below = add(trees, twin("t", "a"));
  const { checked } = await checkSnapshot(add(trees, file("a"), folder("d", below)), trees, all);
  const without = add(trees, file("b"), folder("d", below));
  await expect(checkSnapshot(without, trees, all, checked)).rejects.toThrow("A second name of a file names none.");
});

test("limits hold over directories that were checked before", async () => {
  const trees = new Map<string, SnapshotTree>();
  const nest = async (depth: number, from: string, width: number, before: ReadonlyMap<string, Checked>) => {
    let [name, checked] = [from, new Map(before)];
    for (let level = 0; level < depth; level++) {
      name = add(trees, ...Array.from({ length: width }, (_, at) => folder("n".repeat(200) + at, name)));
      checked = new Map([...checked, ...(await checkSnapshot(name, trees, all, checked)).checked]);
    }
    return { name, checked };
  };
  const { name, checked } = await nest(20, add(trees, file("a")), 1, new Map());
  await expect(nest(1, name, 1, checked)).rejects.toThrow("A path of the snapshot is too long.");
  await expect(nest(7, add(trees, file("a")), 8, new Map())).rejects.toThrow("The snapshot has too many files.");
});
