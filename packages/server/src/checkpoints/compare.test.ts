import { encodeTree, MAX_SNAPSHOT_DEPTH, type SnapshotTree } from "@handrail/protocol/snapshots";
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { changesBetween, compareTrees } from "./compare.ts";

const trees = new Map<string, SnapshotTree>();

function put(entries: SnapshotTree["entries"]): string {
  const tree = { mode: 0o755, mtime: "0", entries };
  const name = createHash("sha256").update(encodeTree(tree)).digest("hex");
  trees.set(name, tree);
  return name;
}

/** As many directories below each other as a snapshot may have, with one link at the end. */
function nested(target: string): string {
  let root = put([{ type: "link", name: "l", mtime: "0", target }]);
  for (let level = 0; level < MAX_SNAPSHOT_DEPTH; level += 1)
    root = put([{ type: "directory", name: "d", tree: root }]);
  return root;
}

test("snapshots as deep as they may be are compared to their ends", async () => {
  const [from, to] = [nested("one"), nested("two")];
  const path = `${"d/".repeat(MAX_SNAPSHOT_DEPTH)}l`;
  const link = { type: "link", name: "l", mtime: "0" } as const;
  expect(await compareTrees(from, to, (name) => trees.get(name))).toEqual([
    { path, git: false, before: { ...link, target: "one" }, after: { ...link, target: "two" } },
  ]);
  expect(await compareTrees(from, from, (name) => trees.get(name))).toEqual([]);
});

test("what git keeps for itself is left out and counted, unless it is asked for", async () => {
  const file = (name: string, mode: number) => ({ type: "link", name, mtime: "0", target: `${mode}` }) as const;
  const repository = (mode: number) =>
    put([
      { type: "directory", name: ".git", tree: put([file("index", mode)]) },
      file(".gitignore", mode),
      { type: "directory", name: "below", tree: put([file(".git", mode)]) },
    ]);
  const found = await compareTrees(repository(1), repository(2), (name) => trees.get(name));
  const modified = (path: string) => ({ path, status: "modified", binary: false });
  expect(changesBetween(found, false)).toEqual({ changes: [modified(".gitignore")], more: false, leftOut: 2 });
  expect(changesBetween(found, true)).toEqual({
    changes: [".git/index", ".gitignore", "below/.git"].map(modified),
    more: false,
    leftOut: 0,
  });
});

test("differences in few directories that unfold to very many long paths take little memory", async () => {
  const gone = (name: string) => ({ type: "left-out", name, reason: "large", bytes: 1 }) as const;
  const folders = (count: number, tree: string) =>
    Array.from(
      { length: count },
      (_, at) => ({ type: "directory", name: String(at).padStart(250, "0"), tree }) as const,
    );
  let root = put(Array.from({ length: 500 }, (_, at) => gone(String(at).padStart(3, "0"))));
  for (let level = 0; level < 12; level++) root = put(folders(1, root));
  root = put(folders(100, root));
  const before = process.memoryUsage().heapUsed;
  const found = await compareTrees(put([]), root, (name) => trees.get(name));
  const { changes, ...more } = changesBetween(found, false);
  expect([found.length, changes.length, more]).toEqual([50_000, 5000, { more: true, leftOut: 0 }]);
  // All paths would be 160 MB.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(100_000_000);
});
