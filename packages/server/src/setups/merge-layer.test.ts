import { encodeTree, type SnapshotEntry, type SnapshotTree } from "@handrail/protocol/snapshots";
import { expect, test } from "vitest";
import { nameOf } from "../checkpoints/object-content.ts";
import { mergeLayer } from "./merge-layer.ts";
import { setupKey, setupPlace } from "./setup-key.ts";

type Files = { readonly [name: string]: string | Files };

/** Snapshots of files by name; `time` tells them apart as two clones are. */
function world() {
  const trees = new Map<string, SnapshotTree>();
  const put = (files: Files, time: number): string => {
    const entries = Object.keys(files)
      .toSorted()
      .map((name): SnapshotEntry => {
        const content = files[name]!;
        if (typeof content !== "string") return { type: "directory", name, tree: put(content, time) };
        const blobs = [nameOf("blob", Buffer.from(content))];
        return { type: "file", name, mode: 0o644, mtime: String(time), size: content.length, blobs };
      });
    const tree = { mode: 0o755, mtime: String(time), entries };
    const name = nameOf("tree", encodeTree(tree));
    trees.set(name, tree);
    return name;
  };
  const names = (root: string, all: ReadonlyMap<string, SnapshotTree>, path = ""): string[] =>
    (all.get(root)?.entries ?? []).flatMap((entry) =>
      entry.type === "directory"
        ? names(entry.tree, all, `${path}${entry.name}/`)
        : [`${path}${entry.name} ${"mtime" in entry ? entry.mtime : ""}`],
    );
  const merge = async (before: Files, after: Files, now: Files) => {
    const sides = { before: put(before, 1), after: put(after, 1), now: put(now, 2) };
    const merged = await mergeLayer(sides, (name) => trees.get(name));
    return merged && names(merged.root, new Map([...trees, ...merged.made]));
  };
  return { trees, put, merge };
}

test("what a set-up made goes onto files that have changed since, which stay as they are", async () => {
  const before = { "a.js": "1", src: { "b.js": "1" } };
  const after = { ...before, node_modules: { x: { "index.js": "x" } }, src: { "b.js": "1", "made.js": "m" } };
  const now = { "a.js": "2, changed", src: { "b.js": "3, too", "c.js": "new" }, "new.js": "n" };
  expect(await world().merge(before, after, now)).toEqual(
    ["a.js 2", "new.js 2", "node_modules/x/index.js 1", "src/b.js 2", "src/c.js 2", "src/made.js 1"].toSorted(),
  );
});

test("what a set-up changed or removed is so again where the file is as it was", async () => {
  const before = { a: "1", b: "1", d: { x: "1" } };
  expect(await world().merge(before, { a: "set up", d: { x: "1" } }, { ...before, c: "new" })).toEqual([
    "a 1",
    "c 2",
    "d/x 2",
  ]);
});

test("a result does not fit where something else is in its place now", async () => {
  const before = { a: "1" };
  const misfit = (after: Files, now: Files) => world().merge(before, after, now);
  expect(await misfit({ a: "set up" }, { a: "changed since" })).toBe(undefined);
  expect(await misfit({ a: "1", out: { x: "made" } }, { a: "1", out: { y: "there now" } })).toBe(undefined);
  expect(await misfit({ a: "1", out: "made" }, { a: "1", out: "there now" })).toBe(undefined);
  expect(await misfit({}, { a: "changed since" })).toBe(undefined);
});

test("git's own index is none of a result", async () => {
  const before = { ".git": { index: "1", config: "c" }, a: "1" };
  const after = { ".git": { index: "2", config: "c" }, a: "1", b: "made" };
  const now = { ".git": { index: "3", config: "c" }, a: "1" };
  expect(await world().merge(before, after, now)).toEqual([".git/config 2", ".git/index 2", "a 2", "b 1"]);
});

test("what comes of large directories is as of small ones, and others have their turns meanwhile", async () => {
  const many = (from: number, to: number, content: string): Files =>
    Object.fromEntries(
      Array.from({ length: to - from }, (_, at) => [`f${String(from + at).padStart(6, "0")}`, content]),
    );
  const before = { d: many(0, 20_000, "1") };
  const after = { d: { ...many(10_000, 20_000, "1"), ...many(30_000, 40_000, "made") } };
  const now = { d: { ...before.d, ...many(20_000, 25_000, "new") } };
  let turns = 0;
  const counting = setInterval(() => (turns += 1), 0);
  const merged = await world()
    .merge(before, after, now)
    .finally(() => clearInterval(counting));
  const paths = (from: number, to: number, time: number) =>
    Object.keys(many(from, to, "")).map((name) => `d/${name} ${time}`);
  expect(merged).toEqual([...paths(10_000, 25_000, 2), ...paths(30_000, 40_000, 1)]);
  expect(turns).toBeGreaterThan(1);
});

const STATE = {
  ownerId: "u_1",
  teamId: null,
  source: { type: "git", url: "https://git.example.org/a.git", branch: "main" },
  sandbox: { backend: "docker", image: "node:24", network: { type: "none" } },
} as const;

test("a key stays while what a set-up depends on does, and changes with each part of it", () => {
  const { put, trees } = world();
  const files = { "a.js": "1", "package-lock.json": "{}", ".handrail": { "setup.sh": "npm ci" } };
  const key = (change: { state?: object; files?: Files; system?: string; command?: string; script?: string } = {}) =>
    setupKey({
      state: { ...STATE, ...change.state },
      command: change.command ?? "npm ci",
      system: change.system ?? "Linux x86_64",
      root: put({ ...files, ...change.files }, Math.floor(performance.now())),
      trees: (name) => trees.get(name),
      script: change.script ?? "npm ci",
    });
  expect(key({ files: { "a.js": "2" } })).toBe(key());
  expect(
    key({ state: { sandbox: { ...STATE.sandbox, network: { type: "allow", presets: ["npm"], hosts: [] } } } }),
  ).toBe(key());
  const script = "# handrail-key: a.js\nnpm ci";
  expect(key({ script, files: { "a.js": "2" } })).not.toBe(key({ script }));
  const changes = [
    { state: { ownerId: "u_2" } },
    { state: { teamId: "core" } },
    { state: { teamId: "web" } },
    { state: { source: { ...STATE.source, branch: "other" } } },
    { state: { sandbox: { ...STATE.sandbox, image: "node:22" } } },
    { state: { sandbox: { ...STATE.sandbox, profile: "strict" } } },
    { state: { sandbox: { ...STATE.sandbox, backend: "process" } } },
    { files: { "package-lock.json": "{ }" } },
    { files: { sub: { "Cargo.lock": "x" } } },
    { files: { "pyproject.toml": "[project]" } },
    { files: { ".handrail": { "setup.sh": "npm ci; true" } } },
    { system: "Linux aarch64" },
    { command: "npm install" },
  ];
  expect(new Set([key(), ...changes.map(key)]).size).toBe(changes.length + 1);
});

test("each owner, team, repository and branch has a place of its own", () => {
  const places = [
    STATE,
    { ...STATE, ownerId: "u_2" },
    { ...STATE, teamId: "core" },
    { ...STATE, teamId: "web" },
    { ...STATE, source: { ...STATE.source, branch: "other" } },
    { ...STATE, source: { type: "folder", path: "/a" } as const },
  ].map(setupPlace);
  expect(new Set(places).size).toBe(6);
});
