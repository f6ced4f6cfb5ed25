import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { timeOf } from "../snapshot/file-stat.ts";
import { blobsOf } from "./known-blobs.ts";

const SECOND = 1_000_000_000n;
const TIME = 1_580_608_922n;
/** git hash-object of "text". */
const BLOB = "f3a34851d44d6b97c90fbb99dd3d18c261b9a237";

/** The index of a repository with one file of four bytes and that time. */
function index(): Buffer {
  const directory = mkdtempSync(join(tmpdir(), "handrail-index-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, "f"), "text");
  utimesSync(join(directory, "f"), Number(TIME), Number(TIME));
  for (const args of [
    ["init", "-q"],
    ["add", "f"],
  ])
    execFileSync("git", args, { cwd: directory });
  return readFileSync(join(directory, ".git", "index"));
}

const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString("hex");
const later = (TIME + 10n) * SECOND;

test("the index is believed about a file of the same size and time that is older than it", () => {
  const known = blobsOf(index(), later);
  expect(hex(known("f", { size: 4, modified: timeOf(TIME * SECOND) }))).toBe(BLOB);
  // The index has whole seconds here.
  expect(hex(known("f", { size: 4, modified: timeOf(TIME * SECOND + 5n) }))).toBe(BLOB);
});

test("it is not believed about any other", () => {
  const known = blobsOf(index(), later);
  expect([
    known("f", { size: 5, modified: timeOf(TIME * SECOND) }),
    known("f", { size: 4, modified: timeOf((TIME + 1n) * SECOND) }),
    known("g", { size: 4, modified: timeOf(TIME * SECOND) }),
  ]).toEqual([undefined, undefined, undefined]);
});

test("it is not believed about a file that may have changed after it was written", () => {
  const same = { size: 4, modified: timeOf(TIME * SECOND) };
  expect(blobsOf(index(), TIME * SECOND)("f", same)).toBeUndefined();
  expect(blobsOf(index(), TIME * SECOND + 5n)("f", same)).toBeUndefined();
});

test("a damaged index says nothing", () => {
  const damaged = index();
  damaged.writeUInt8(damaged.readUInt8(20) ^ 1, 20);
  expect(blobsOf(damaged, later)("f", { size: 4, modified: timeOf(TIME * SECOND) })).toBeUndefined();
});
