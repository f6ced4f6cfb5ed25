import {
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { asKept } from "../testing/as-kept.ts";
import type { CallContext } from "../handlers.ts";
import { snapshotOperations } from "./snapshot-operations.ts";

const RULES = { maxFileBytes: 1000, maxTotalBytes: 10_000_000 };
const CALL: CallContext = { id: "k", signal: new AbortController().signal, feed: () => {} };

let directory: string;
let operations: ReturnType<typeof snapshotOperations>;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "handrail-edges-"));
  mkdirSync(path("."));
  mkdirSync(join(directory, "state"));
  operations = snapshotOperations({ workspace: path(".") }, join(directory, "state"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const path = (...names: string[]) => join(directory, "workspace", ...names);
const ino = (name: string) => lstatSync(path(name)).ino;
const take = (base: string | null) => operations["snapshot.take"]({ base, ...RULES }, CALL);
const read = (root: string) => operations["snapshot.read"]({ root, offset: 0, length: 1_000_000 }, CALL);
const put = (offset: number, bytes: Uint8Array) =>
  operations["snapshot.put"]({ offset, data: Buffer.from(bytes) }, CALL);
const restore = (root: string) => operations["snapshot.restore"]({ root, ...RULES }, CALL);

/** Takes a snapshot that stays the last one; gives its root and its frames. */
async function keep(base: string | null = null) {
  const { root } = await take(base);
  const { data } = await read(root);
  await operations["snapshot.keep"]({ root }, CALL);
  return { root, frames: asKept(Buffer.from(data, "base64")) };
}

const BAD_REQUEST = { code: "bad_request" };
const INVALID = { code: "checkpoint_invalid" };

test("further names of a file are names of it again, in other directories too, after all of them were written to", async () => {
  mkdirSync(path("other", "deep"), { recursive: true });
  writeFileSync(path("a"), "one");
  for (const name of ["b", "other/deep/c"]) linkSync(path("a"), path(name));
  const { root, frames } = await keep();
  writeFileSync(path("a"), "two, changed");
  await put(0, frames);
  expect(await restore(root)).toMatchObject({ needed: [], failed: [] });
  expect(["a", "b", "other/deep/c"].map((name) => [readFileSync(path(name), "utf8"), ino(name)])).toEqual(
    Array.from({ length: 3 }, () => ["one", ino("a")]),
  );
});

test("only the last snapshot that was taken is read and kept", async () => {
  writeFileSync(path("a"), "one");
  const first = await take(null);
  writeFileSync(path("a"), "two");
  const second = await take(null);
  await expect(async () => read(first.root)).rejects.toMatchObject(BAD_REQUEST);
  await operations["snapshot.keep"]({ root: first.root }, CALL);
  expect(await take(second.root)).toMatchObject({ root: second.root, newObjects: second.newObjects });
});

test("objects come in order, whole, and from the first one on when a server begins anew", async () => {
  writeFileSync(path("a"), "one");
  const { root, frames } = await keep();
  await put(0, frames.subarray(0, 5));
  await expect(async () => put(4, frames.subarray(4))).rejects.toMatchObject(BAD_REQUEST);
  await expect(async () => put(6, frames.subarray(6))).rejects.toMatchObject(BAD_REQUEST);
  expect(await put(0, frames.subarray(0, -1))).toEqual({ size: frames.length - 1 });
  await expect(restore(root)).rejects.toMatchObject(INVALID);
});

test("what was put goes after a restore, and after one that failed", async () => {
  const state = () => readdirSync(join(directory, "state"));
  writeFileSync(path("a"), "one");
  const { root, frames } = await keep();
  await put(0, frames);
  expect(state()).toContain("restore.pack");
  await restore(root);
  expect(state()).not.toContain("restore.pack");
  await put(0, frames.subarray(0, 5));
  await restore(root).catch(() => undefined);
  expect(state()).not.toContain("restore.pack");
  await expect(async () => put(0, Buffer.from("no frame, and long enough to see that"))).rejects.toMatchObject(INVALID);
  expect(state()).not.toContain("restore.pack");
});

test("what a restore could not bring back is not taken for known", async () => {
  symlinkSync("nowhere", path("link"));
  const { root, frames } = await keep();
  rmSync(path("link"));
  mkdirSync(path("link"));
  writeFileSync(path("link", "large"), Buffer.alloc(2000));
  const between = await keep(root);
  await put(0, frames);
  const { failed } = await restore(root);
  expect(failed).toEqual([expect.stringMatching(/^link: /)]);
  expect((await take(root)).newObjects).toBe((await take(null)).newObjects);
  expect((await take(between.root)).newObjects).toBe(1);
});

test("what was restored is known: the next snapshot from it sends nothing", async () => {
  mkdirSync(path("d"));
  writeFileSync(path("d", "a"), "one");
  for (const name of ["d/a", "d", "."]) utimesSync(path(name), 1000, 1000);
  const first = await keep();
  writeFileSync(path("d", "a"), "two, changed");
  await keep(first.root);
  await put(0, first.frames);
  await restore(first.root);
  expect(await take(first.root)).toMatchObject({ root: first.root, newObjects: 0 });
});
