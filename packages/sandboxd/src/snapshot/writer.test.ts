import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SnapshotFile } from "@handrail/protocol/snapshots";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Writer } from "./writer.ts";

let directory: string;
let place: number;
let writer: Writer;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "handrail-writer-"));
  place = openSync(directory, "r");
  writer = new Writer();
});
afterEach(async () => {
  await writer.close();
  closeSync(place);
  rmSync(directory, { recursive: true, force: true });
});

function newFile(name: string, ...pieces: string[]) {
  const bytes = pieces.map((piece) => Buffer.from(piece));
  const size = bytes.reduce((sum, { length }) => sum + length, 0);
  const entry: SnapshotFile = { type: "file", name, mode: 0o640, mtime: "1580608922000000000", size, blobs: [] };
  return { name, entry, pieces: bytes };
}

test("another thread writes files and says what they are", async () => {
  const stats = await writer.write(place, [newFile("a", "one", "two"), newFile("empty"), newFile("\xc3\xbc", "ü")]);
  expect(stats.map((stat) => stat && { mode: stat.mode, size: stat.size, modifiedNs: stat.modifiedNs })).toEqual(
    [6, 0, 2].map((size) => ({ mode: 0o100640, size, modifiedNs: 1580608922000000000n })),
  );
  expect(["a", "empty", "ü"].map((name) => readFileSync(join(directory, name), "utf8"))).toEqual(["onetwo", "", "ü"]);
});

test("what it cannot write is left to this thread, and the rest is written", async () => {
  writeFileSync(join(directory, "there"), "there");
  const [there, other] = await writer.write(place, [newFile("there", "new"), newFile("other", "new")]);
  expect([there, other?.size]).toEqual([undefined, 3]);
  expect(readFileSync(join(directory, "there"), "utf8")).toBe("there");
});

test("it takes no more than it can begin soon, and nothing after its end", async () => {
  expect(writer.hasRoom).toBe(true);
  const jobs = Array.from({ length: 10 }, (_, job) => writer.write(place, [newFile(`f${job}`, "x")]));
  await Promise.all(jobs);
  expect(writer.hasRoom).toBe(true);
  await writer.close();
  await expect.poll(() => writer.hasRoom).toBe(false);
  expect(await writer.write(place, [newFile("late", "x")])).toEqual([undefined]);
});
