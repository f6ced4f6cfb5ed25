import { encodeTree, MAX_SNAPSHOT_DEPTH, type SnapshotTree } from "@handrail/protocol/snapshots";
import { expect, test } from "vitest";
import type { KnownTree } from "../objects/known-tree.ts";
import { objectName } from "../objects/object-writer.ts";
import { planRestore, type PlannedTree } from "./restore-plan.ts";
import type { StagedObjects } from "../objects/staged-objects.ts";

const EMPTY: KnownTree = { tree: "none", mode: 0o755, mtime: "0", entries: new Map() };

/** A root with as many directories below each other, and what has them staged. */
function nested(depth: number): { readonly root: string; readonly staged: StagedObjects } {
  const trees = new Map<string, SnapshotTree>();
  const put = (entries: SnapshotTree["entries"]): string => {
    const tree = { mode: 0o755, mtime: "0", entries };
    const name = objectName("tree", encodeTree(tree));
    trees.set(name, tree);
    return name;
  };
  let root = put([]);
  for (let level = 0; level < depth; level++) root = put([{ type: "directory", name: "d", tree: root }]);
  const staged: Pick<StagedObjects, "tree" | "has"> = {
    tree: (name) => trees.get(name),
    has: (name) => trees.has(name),
  };
  return { root, staged: staged as StagedObjects };
}

function depthOf(tree: PlannedTree | undefined): number {
  let depth = 0;
  for (let at = tree; at !== undefined; at = at.entries.get("d")?.directory) depth += 1;
  return depth - 1;
}

test("directories below each other are planned as deep as a snapshot may have them, and no deeper", async () => {
  const plan = async (depth: number) => {
    const { root, staged } = nested(depth);
    return (await planRestore(root, { present: EMPTY, previous: undefined }, staged)).tree;
  };
  expect(depthOf(await plan(MAX_SNAPSHOT_DEPTH))).toBe(MAX_SNAPSHOT_DEPTH);
  const tooDeep = { code: "checkpoint_invalid", message: "The snapshot is too deep." };
  await expect(plan(MAX_SNAPSHOT_DEPTH + 1)).rejects.toMatchObject(tooDeep);
});

test("other work goes on while very many files are planned", async () => {
  const entries = Array.from({ length: 300_000 }, (_, at) => ({ type: "twin" as const, name: `${at}`, of: "a" }));
  const content = { mode: 0o755, mtime: "0", entries };
  const staged: Pick<StagedObjects, "tree" | "has"> = { tree: () => content, has: () => true };
  let wentOn = false;
  setImmediate(() => (wentOn = true));
  const { tree } = await planRestore("root", { present: EMPTY, previous: undefined }, staged as StagedObjects);
  expect([wentOn, tree?.entries.size]).toEqual([true, 300_000]);
});
