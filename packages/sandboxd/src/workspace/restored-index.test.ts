import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { FileStat } from "../snapshot/native/file-stat.ts";
import { AT, eachEntry, sealIndex } from "./git-index.ts";
import { RestoredIndex } from "./restored-index.ts";

const SECOND = 1_000_000_000n;
const TIME = 1_580_608_922n;
const LATER = (TIME + 10n) * SECOND;
const CONTENT = "text";

/** The index of a repository with one file of four bytes and that time. */
function indexOfOne(): Buffer {
  const directory = mkdtempSync(join(tmpdir(), "handrail-index-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, "f"), CONTENT);
  utimesSync(join(directory, "f"), Number(TIME), Number(TIME));
  for (const args of [
    ["init", "-q"],
    ["add", "f"],
  ])
    execFileSync("git", args, { cwd: directory });
  return readFileSync(join(directory, ".git", "index"));
}

type Described = { readonly size?: number; readonly modifiedNs?: bigint; readonly mode?: number };

const stat = ({ size = CONTENT.length, modifiedNs = TIME * SECOND, mode = 0o100644 }: Described = {}): FileStat => {
  const plain = { mode, links: 1, uid: 7, gid: 8, device: 9, inode: 10n };
  return { ...plain, size, changedNs: 11n * SECOND + 12n, modifiedNs };
};

/** Adds one file; says whether its content was read, and how much the index then is known to have. */
function added(index: Buffer, { path = "f", content = CONTENT, writtenNs = LATER, ...described }: Added = {}) {
  let read = false;
  const restored = new RestoredIndex(index, writtenNs);
  const pieces = (function* () {
    read = true;
    yield Buffer.from(content);
  })();
  restored.add(path, stat(described), pieces);
  return { read, whole: restored.whole, restored };
}

type Added = Described & { readonly path?: string; readonly content?: string; readonly writtenNs?: bigint };

const ONE = { files: 1, bytes: 4 };

test("a file of the same size and time, older than the index, is believed to be what that has", () => {
  const index = indexOfOne();
  expect(added(index)).toMatchObject({ read: false, whole: ONE });
  // The index has whole seconds here.
  expect(added(index, { modifiedNs: TIME * SECOND + 5n })).toMatchObject({ read: false, whole: ONE });
});

test.each<[string, Added]>([
  ["of another time", { modifiedNs: (TIME + 1n) * SECOND }],
  ["that may have changed after the index was written", { writtenNs: TIME * SECOND }],
  [
    "that may have changed in the second in which it was written",
    { writtenNs: TIME * SECOND + 5n, modifiedNs: TIME * SECOND },
  ],
])("the content of a file %s is read", (_, file) => {
  const index = indexOfOne();
  expect(added(index, file)).toMatchObject({ read: true, whole: ONE });
  expect(added(index, { ...file, content: "else" })).toMatchObject({ read: true, whole: undefined });
});

test.each<[string, Added]>([
  ["of another size", { size: 5, content: "text." }],
  ["that may be run", { mode: 0o100755 }],
  ["that it does not have", { path: "g" }],
])("an index is not all of a workspace with a file %s", (_, file) => {
  expect(added(indexOfOne(), file).whole).toBeUndefined();
});

test("an index is not all of a workspace with one more file, or with one less", () => {
  const { restored } = added(indexOfOne());
  restored.addOther();
  expect(restored.whole).toBeUndefined();
  expect(new RestoredIndex(indexOfOne(), LATER).whole).toBeUndefined();
});

test("the index says what the system says of the files", () => {
  const index = indexOfOne();
  const stamped = added(index).restored.stampedFrom(index) ?? Buffer.alloc(0);
  const expected = Buffer.from(index);
  let entryAt = 0;
  eachEntry(index, (at) => (entryAt = at));
  const numbers = { ctime: 11, mtime: Number(TIME), dev: 9, ino: 10, uid: 7, gid: 8, size: 4 };
  for (const [name, value] of Object.entries(numbers)) {
    expected.writeUInt32BE(value, entryAt + AT[name as keyof typeof numbers]);
  }
  expected.writeUInt32BE(12, entryAt + AT.ctime + 4);
  expected.writeUInt32BE(0, entryAt + AT.mtime + 4);
  sealIndex(expected);
  expect(stamped).toEqual(expected);
});

test("another index than the restored one, a damaged one, and one to which nothing was added stay as they are", () => {
  const index = indexOfOne();
  expect(added(index).restored.stampedFrom(Buffer.concat([index, Buffer.from("x")]))).toBeUndefined();
  expect(new RestoredIndex(index, LATER).stampedFrom(index)).toBeUndefined();
  index.writeUInt8(index.readUInt8(20) ^ 1, 20);
  const { restored, whole } = added(index);
  expect([restored.stampedFrom(index), whole]).toEqual([undefined, undefined]);
});
