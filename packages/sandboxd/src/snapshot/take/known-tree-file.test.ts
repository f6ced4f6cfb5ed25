import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SnapshotFile } from "@handrail/protocol/snapshots";
import { afterEach, beforeEach, expect, test } from "vitest";
import { KnownTreeFile } from "./known-tree-file.ts";
import type { KnownEntry, KnownTree } from "../objects/known-tree.ts";

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "handrail-known-"));
  path = join(directory, "known");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const always = () => true;

function file(name: string, inode = 1n): [string, KnownEntry] {
  const stamp = { inode, size: 3, changedNs: 7n, modifiedNs: -5n };
  const entry: SnapshotFile = { type: "file", name, mode: 0o644, mtime: "-5", size: 3, blobs: ["b".repeat(64)] };
  return [name, { stamp, entry, directory: undefined }];
}

function tree(id: string, ...entries: [string, KnownEntry][]): KnownTree {
  return { tree: id.repeat(64), mode: 0o755, mtime: "9", entries: new Map(entries) };
}

function below(name: string, directoryTree: KnownTree): [string, KnownEntry] {
  const entry = { type: "directory", name, tree: directoryTree.tree } as const;
  return [name, { stamp: undefined, entry, directory: directoryTree }];
}

test("a tree is read as it was written, and so is the next one, of which only what changed is written", async () => {
  const same = tree("a", ...Array.from({ length: 200 }, (_, at) => file(`f${at}`, BigInt(at) + 2n ** 63n)));
  const first = tree("1", below("same", same), below("other", tree("b", file("g"))), file("h"));
  const kept = new KnownTreeFile(path);
  expect(await kept.write(first, always)).toBe(true);
  expect(await new KnownTreeFile(path).read()).toEqual(first);

  const { size } = statSync(path);
  const second = tree("2", below("same", same), below("other", tree("c", file("g", 5n))));
  expect(await kept.write(second, always)).toBe(true);
  expect(await new KnownTreeFile(path).read()).toEqual(second);
  expect(statSync(path).size - size).toBeLessThan(1000);
});

test("a large directory is in several lines, and one that other work interrupts is written anew", async () => {
  const large = tree("a", ...Array.from({ length: 2500 }, (_, at) => file(`f${at}`)));
  const first = tree("1", below("large", large), file("h"));
  const kept = new KnownTreeFile(path);
  await kept.write(tree("0"), always);
  let lines = 0;
  expect(await kept.write(first, () => ++lines < 2)).toBe(false);
  expect(await new KnownTreeFile(path).read()).toEqual(tree("0"));
  expect(await kept.write(first, always)).toBe(true);
  expect(await new KnownTreeFile(path).read()).toEqual(first);
  expect(
    Math.max(
      ...readFileSync(path, "utf8")
        .split("\n")
        .map((line) => line.length),
    ),
  ).toBeLessThan(300_000);
});

test("what is no more does not pile up without end", async () => {
  const kept = new KnownTreeFile(path);
  const many = (round: number) => tree("a", ...Array.from({ length: 500 }, (_, at) => file(`f${at}`, BigInt(round))));
  for (let round = 0; round < 40; round++) await kept.write(tree("1", below("d", many(round))), always);
  expect((await new KnownTreeFile(path).read())?.entries.get("d")?.directory).toEqual(many(39));
  expect(statSync(path).size).toBeLessThan(1024 * 1024 + 4 * JSON.stringify([...many(0).entries], bigints).length);
  expect(readdirSync(directory)).toEqual(["known"]);
});

const bigints = (_: string, value: unknown) => (typeof value === "bigint" ? String(value) : value);

test("a writing that other work interrupts, or a crash cuts off, leaves the tree before, or none", async () => {
  const first = tree("1", below("d", tree("a", file("f"))));
  const second = tree("2", below("d", tree("b", file("g"))), below("e", tree("c", file("h"))));
  const kept = new KnownTreeFile(path);
  expect(await kept.write(first, () => false)).toBe(false);
  expect(await kept.read()).toBeNull();
  await kept.write(first, always);
  const whole = readFileSync(path);
  expect(await kept.write(second, () => false)).toBe(false);
  expect(await kept.read()).toEqual(first);
  expect(await kept.write(second, always)).toBe(true);
  expect(await kept.read()).toEqual(second);
  truncateSync(path, whole.length + 10);
  expect(await kept.read()).toEqual(first);
  truncateSync(path, whole.length - 3);
  expect(await kept.read()).toBeNull();
});
