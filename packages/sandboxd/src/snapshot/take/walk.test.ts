import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { encodeTree } from "@handrail/protocol/snapshots";
import { fileStat } from "../native/file-stat.ts";
import type { KnownEntry, KnownTree } from "../objects/known-tree.ts";
import { openNative } from "../native/native.ts";
import { nameInTurns, objectName } from "../objects/object-writer.ts";
import { openInside } from "../native/open-inside.ts";
import { readFileEntry } from "./read-entry.ts";
import { walkWorkspace } from "./walk.ts";

const RULES = { maxFileBytes: 100_000, maxTotalBytes: 1_000_000 };
const native = await openNative();

let workspace: string;
beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), "handrail-walk-"));
  at(1000);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(workspace, { recursive: true, force: true });
});

/** The clock of the walk, so many milliseconds from now: files that were written just now are older or newer by that. */
function at(ms: number): void {
  const { now } = Date;
  vi.spyOn(Date, "now").mockRestore();
  vi.spyOn(Date, "now").mockImplementation(() => now() + ms);
}

/** A walk, and what was read for it: the content of files, and directories as `/`. */
async function walk(previous?: KnownTree) {
  const read: string[] = [];
  const objects = {
    add: (kind: "blob" | "tree", bytes: Uint8Array) => {
      read.push(kind === "tree" ? "/" : new TextDecoder().decode(bytes));
      return objectName(kind, bytes);
    },
    addInTurns: nameInTurns,
  };
  const { tree } = await walkWorkspace({ workspace, rules: RULES, previous, objects, native });
  return { tree, read };
}

const path = (...names: string[]) => join(workspace, ...names);

/** Writes a file and sets its time, as programs can. */
function write(name: string, content: string): void {
  writeFileSync(path(name), content);
  utimesSync(path(name), 1000, 1000);
}

test("what has not changed is not read again, and a file is seen that has other content of the same size and time", async () => {
  write("a", "one");
  write("b", "same");
  const first = await walk();
  expect(first.read).toEqual(["one", "same", "/"]);
  expect(await walk(first.tree)).toEqual({ tree: first.tree, read: [] });
  write("a", "two");
  const second = await walk(first.tree);
  expect(second.read).toEqual(["two", "/"]);
  expect(second.tree.tree).toBe((await walk()).tree.tree);
});

test("a file that was written within the clock's step is read again, and one that was not is not", async () => {
  write("a", "one");
  vi.spyOn(Date, "now").mockReturnValue(Math.floor(lstatSync(path("a")).ctimeMs) + 20);
  const { tree } = await walk();
  expect((await walk(tree)).read).toEqual(["one", "/"]);
  at(1000);
  const later = await walk();
  expect((await walk(later.tree)).read).toEqual([]);
});

test("a directory is seen that changed in nothing but its mode, its time, or what is gone from it", async () => {
  mkdirSync(path("d"));
  write("d/a", "one");
  write("d/b", "two");
  utimesSync(path("d"), 1000, 1000);
  const changes = [
    () => chmodSync(path("d"), 0o700),
    () => utimesSync(path("d"), 2000, 2000),
    () => {
      rmSync(path("d", "b"));
      utimesSync(path("d"), 2000, 2000);
    },
  ];
  let { tree } = await walk();
  for (const change of changes) {
    change();
    const next = await walk(tree);
    expect(next.tree.tree).not.toBe(tree.tree);
    expect(next.tree.tree).toBe((await walk()).tree.tree);
    ({ tree } = next);
  }
});

test("a file is not read that is another one than the one that was seen, or no file any more", () => {
  write("a", "one");
  write("other", "secret");
  const read = (name: string) =>
    readFileEntry(path(name), name, fileStat(lstatSync(path(name), { bigint: true })), { add: objectName });
  const seen = fileStat(lstatSync(path("a"), { bigint: true }));
  expect(read("a")).toMatchObject({ size: 3, blobs: [objectName("blob", Buffer.from("one"))] });
  renameSync(path("other"), path("a"));
  expect(() => readFileEntry(path("a"), "a", seen, { add: objectName })).toThrow("another one");
});

test("nothing is opened by way of a link, neither the file itself nor a directory on the way", () => {
  mkdirSync(path("d"));
  write("d/a", "one");
  symlinkSync("d", path("link"));
  symlinkSync("a", path("d", "link"));
  expect(openInside(path("d", "a"), 0)).toBeGreaterThan(2);
  expect(() => openInside(path("link", "a"), 0)).toThrow("leads elsewhere");
  expect(() => openInside(path("d", "link"), 0)).toThrow("ELOOP");
});

test("a directory of many files has the name that it has when it is encoded at once", async () => {
  mkdirSync(path("many"));
  for (let at = 0; at < 5000; at++) writeFileSync(path("many", `file-of-many-${at}`), "");
  const { tree } = await walk();
  const many = tree.entries.get("many")?.directory;
  const { mode = 0, mtime = "", entries = new Map<string, never>() } = many ?? {};
  const all = Array.from(entries.values(), ({ entry }: KnownEntry) => entry);
  expect(all.map(({ name }) => name)).toEqual(Array.from(all, ({ name }) => name).toSorted());
  expect([all.length, many?.tree]).toEqual([5000, objectName("tree", encodeTree({ mode, mtime, entries: all }))]);
  expect((await walk(tree)).tree).toBe(tree);
});

test("what is left out is listed by its path, or only counted where that is too long to be said", async () => {
  let below = Buffer.from(`${workspace}/`);
  for (let level = 0; level < 9; level++) below = Buffer.concat([below, Buffer.alloc(250, 0xff), Buffer.from("/")]);
  mkdirSync(below, { recursive: true });
  writeFileSync(Buffer.concat([below, Buffer.from("a")]), Buffer.alloc(200_000));
  writeFileSync(path("z"), Buffer.alloc(200_000));
  const objects = { add: objectName, addInTurns: nameInTurns };
  const { leftOut, leftOutCount } = await walkWorkspace({
    workspace,
    rules: RULES,
    previous: undefined,
    objects,
    native,
  });
  expect([leftOut, leftOutCount]).toEqual([[{ path: "z", reason: "large", bytes: 200_000 }], 2]);
});
