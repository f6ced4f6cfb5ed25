import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SnapshotFile } from "@handrail/protocol/snapshots";
import { afterEach, beforeEach, expect, test } from "vitest";
import { JobBuilder, statIn } from "../native/write-job.ts";
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

function job(...files: readonly (readonly [name: string, content: string])[]): JobBuilder {
  const builder = new JobBuilder();
  for (const [name, content] of files) {
    const bytes = Buffer.from(content);
    const about = { mode: 0o640, mtime: "1580608922000000000", size: bytes.length, blobs: [] };
    const entry: SnapshotFile = { type: "file", name, ...about };
    builder.add(name, entry, bytes);
  }
  return builder;
}

const statsOf = async (files: JobBuilder, count: number) => {
  const stats = await writer.write(place, files);
  return Array.from({ length: count }, (_, index) => stats && statIn(stats, index));
};

test("another thread writes files and says what they are", async () => {
  const stats = await statsOf(job(["a", "one two"], ["empty", ""], ["\xc3\xbc", "ü"]), 3);
  expect(stats.map((stat) => stat && { mode: stat.mode, size: stat.size, modifiedNs: stat.modifiedNs })).toEqual(
    [7, 0, 2].map((size) => ({ mode: 0o100640, size, modifiedNs: 1580608922000000000n })),
  );
  expect(["a", "empty", "ü"].map((name) => readFileSync(join(directory, name), "utf8"))).toEqual(["one two", "", "ü"]);
});

test("what it cannot write is left to this thread, and the rest is written", async () => {
  writeFileSync(join(directory, "there"), "there");
  const [there, other] = await statsOf(job(["there", "new"], ["other", "new"]), 2);
  expect([there, other?.size]).toEqual([undefined, 3]);
  expect(readFileSync(join(directory, "there"), "utf8")).toBe("there");
});

test("it takes no more than it can begin soon, and nothing after its end", async () => {
  expect(writer.hasRoom).toBe(true);
  const jobs = Array.from({ length: 10 }, (_, number) => writer.write(place, job([`f${number}`, "x"])));
  await Promise.all(jobs);
  expect(writer.hasRoom).toBe(true);
  await writer.close();
  await expect.poll(() => writer.hasRoom).toBe(false);
  expect(await writer.write(place, job(["late", "x"]))).toBeUndefined();
});
