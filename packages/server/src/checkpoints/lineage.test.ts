import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { directoryStore } from "@handrail/checkpoints/directory-store";
import { encodeObjectFrame } from "@handrail/protocol/sandboxd/object-frames";
import { encodeTree, type SnapshotTree } from "@handrail/protocol/snapshots";
import { afterAll, expect, test } from "vitest";
import { Lineage } from "./lineage.ts";
import { nameOf } from "./object-content.ts";

const directory = mkdtempSync(join(tmpdir(), "handrail-lineage-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A directory with so many links. */
function treeOf(time: string, entries: number): SnapshotTree {
  const names = Array.from({ length: entries }, (_, at) => `n${String(at).padStart(6, "0")}`);
  return { mode: 0o755, mtime: time, entries: names.map((name) => ({ type: "link", name, mtime: "0", target: "t" })) };
}

/** A lineage with these trees; `read` has what was read of its packs. */
async function stored(trees: readonly SnapshotTree[]) {
  const read: string[] = [];
  const store = directoryStore(directory);
  const get: typeof store.get = (path, range) => {
    if (path.includes("/packs/")) read.push(path);
    return store.get(path, range);
  };
  const lineage = new Lineage("family", { ...store, get }, Buffer.alloc(32, 1));
  const named = trees.map((tree) => {
    const data = encodeTree(tree);
    const frame = encodeObjectFrame({ kind: "tree", packed: false, size: data.length, data });
    return { name: nameOf("tree", data), kind: "tree" as const, size: data.length, frame };
  });
  await lineage.addIndex(await lineage.putPack(named));
  return { lineage, read, names: named.map(({ name }) => name) };
}

test("objects over what a lineage takes are refused, and nothing of them is there", async () => {
  const store = directoryStore(directory);
  const lineage = new Lineage("full", store, Buffer.alloc(32, 1), 3);
  const framesOf = (numbers: readonly number[]) =>
    numbers.map((number) => {
      const data = Buffer.alloc(4, number);
      const frame = encodeObjectFrame({ kind: "blob", packed: false, size: 4, data });
      return { name: nameOf("blob", data), kind: "blob" as const, size: 4, frame };
    });
  const add = async (numbers: readonly number[]) => lineage.addIndex(await lineage.putPack(framesOf(numbers)));
  await add([1, 2]);
  await expect(add([3, 4])).rejects.toMatchObject({ code: "limit_reached" });
  expect([(await lineage.objects()).size, await lineage.room()]).toEqual([2, 1]);
  await add([3]);
  expect([(await lineage.objects()).size, (await store.list("full/indexes/")).length]).toEqual([3, 2]);
});

test("trees that are used again and again are read once", async () => {
  const trees = [treeOf("1", 15_000), treeOf("2", 10)];
  const { lineage, read, names } = await stored(trees);
  for (let round = 0; round < 20; round++) expect((await lineage.trees(names)).length).toBe(2);
  expect(read).toHaveLength(1);
});

test("frames of trees that were read are not read again, and others are", async () => {
  const { lineage, read, names } = await stored([treeOf("3", 20), treeOf("4", 10)]);
  const [first = "", second = ""] = names;
  await lineage.trees([first]);
  const frames = await lineage.treeFrames(names);
  expect(read).toHaveLength(2);
  const found = await new Lineage("family", directoryStore(directory), Buffer.alloc(32, 1)).treeFrames(names);
  expect([first, second].map((name) => Buffer.from(frames.get(name) ?? []))).toEqual(
    [first, second].map((name) => Buffer.from(found.get(name) ?? [])),
  );
  expect([...(await lineage.treeFrames([first])).keys()]).toEqual([first]);
  expect(read).toHaveLength(2);
});

test("trees are remembered up to the bytes that they take, however few entries have them", async () => {
  const lineage = new Lineage("weights", directoryStore(directory), Buffer.alloc(32, 1));
  const remembered = async (pieces: number) => {
    const blobs = Array.from({ length: pieces }, () => "b");
    const file = { type: "file", name: "a", mode: 0, mtime: "0", size: 0, blobs } as const;
    lineage.remember([["tree", { mode: 0, mtime: "0", entries: [file] }]]);
    return lineage.trees(["tree"]).then(
      (trees) => trees.length,
      (thrown: { code: string }) => thrown.code,
    );
  };
  expect([await remembered(1000), await remembered(600_000)]).toEqual([1, "checkpoint_damaged"]);
});
