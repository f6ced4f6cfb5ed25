import { encodeTree, type SnapshotEntry, type SnapshotTree } from "@handrail/protocol/snapshots";
import fc from "fast-check";
import { expect, test } from "vitest";
import { checkSnapshot } from "./closure.ts";
import { nameOf } from "./object-content.ts";

const pipe = (name: string): SnapshotEntry => ({ type: "pipe", name, mode: 0o600, mtime: "0" });
const gone = (name: string): SnapshotEntry => ({ type: "left-out", name, reason: "large", bytes: 1 });
const twin = (name: string, of: string): SnapshotEntry => ({ type: "twin", name, of });
const folder = (name: string, tree: string): SnapshotEntry => ({ type: "directory", name, tree });

function put(trees: Map<string, SnapshotTree>, entries: SnapshotEntry[]): string {
  const tree = { mode: 0o755, mtime: "0", entries };
  const name = nameOf("tree", encodeTree(tree));
  trees.set(name, tree);
  return name;
}

/** Whether each second name names a file that was walked over before, told by all the paths. */
function walked(root: string, trees: ReadonlyMap<string, SnapshotTree>): boolean {
  const seen = new Set<string>();
  const walk = (name: string, path: string): boolean =>
    (trees.get(name)?.entries ?? []).every((entry) => {
      if (entry.type === "directory") return walk(entry.tree, `${path}${entry.name}/`);
      if (entry.type === "twin") return seen.has(entry.of);
      if (entry.type !== "left-out") seen.add(path + entry.name);
      return true;
    });
  return walk(root, "");
}

test("second names are taken of files that come before them, wherever both are, and of nothing else", async () => {
  const path = fc
    .array(fc.constantFrom("a", "b", "c", "d"), { minLength: 1, maxLength: 3 })
    .map((names) => names.join("/"));
  const kinds = fc.array(fc.tuple(fc.constantFrom("pipe", "gone", "twin", "folder", "none"), path, fc.nat(20)), {
    minLength: 4,
    maxLength: 4,
  });
  const taken = { yes: 0, no: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(kinds, { minLength: 2, maxLength: 5 }), async (directories) => {
      const trees = new Map<string, SnapshotTree>();
      const names: string[] = [];
      for (const entries of directories) {
        const made = entries.flatMap(([kind, of, at], index): SnapshotEntry[] => {
          const name = "abcd"[index] ?? "";
          const below = names[at % Math.max(1, names.length)];
          if (kind === "folder" && below !== undefined) return [folder(name, below)];
          if (kind === "none") return [];
          return [kind === "twin" ? twin(name, of) : kind === "gone" ? gone(name) : pipe(name)];
        });
        names.push(put(trees, made));
      }
      const root = names.at(-1) ?? "";
      const expected = walked(root, trees);
      taken[expected ? "yes" : "no"] += 1;
      const checking = checkSnapshot(root, trees, () => undefined);
      if (expected) await checking;
      else await expect(checking).rejects.toThrow("A second name of a file names none.");
    }),
    { numRuns: 2000, seed: 1 },
  );
  expect(Math.min(taken.yes, taken.no)).toBeGreaterThan(100);
});

test.each(["", "/a", "a/", "x//y", "x", "x/.", "../a", "a/b"])("a second name of %j is refused", async (of) => {
  const trees = new Map<string, SnapshotTree>();
  const root = put(trees, [pipe("a"), folder("x", put(trees, [pipe("y")])), twin("z", of)]);
  await expect(checkSnapshot(root, trees, () => undefined)).rejects.toThrow("A second name of a file names none.");
});

test("second names in few directories that unfold to very many long paths are looked up once", async () => {
  const trees = new Map<string, SnapshotTree>();
  const long = "ü".repeat(125);
  const last = `a/d000/${`${long}/`.repeat(13)}p000`;
  const numbered = Array.from({ length: 500 }, (_, at) => String(at).padStart(3, "0"));
  let root = put(trees, [
    ...numbered.map((number) => pipe(`p${number}`)),
    ...numbered.map((number) => twin(`t${number}`, last)),
  ]);
  for (let level = 0; level < 13; level++) root = put(trees, [folder(long, root)]);
  root = put(trees, [
    folder(
      "a",
      put(
        trees,
        numbered.map((number) => folder(`d${number}`, root)),
      ),
    ),
  ]);
  expect(await checkSnapshot(root, trees, () => undefined)).toMatchObject({ files: 0, bytes: 0 });
});
