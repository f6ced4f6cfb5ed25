import type { SnapshotFile } from "@handrail/protocol/snapshots";
import { expect, test } from "vitest";
import { numbersOf } from "./file-stat.ts";
import { emptyStats, encodeStat, JobBuilder, statIn, timeIn } from "./write-job.ts";

const bundle = (id: number) => ({ id, size: 9, data: Uint8Array.of(id) });

function jobOf(mtimes: readonly string[]) {
  const builder = new JobBuilder();
  for (const [index, mtime] of mtimes.entries())
    builder.add(`f${index}`, { type: "file", name: "f", mode: 0o644, mtime, size: 0, blobs: [] }, undefined);
  return builder.build(1, 3);
}

test("a job says of each file what it is called, its mode and time, and where its content is", () => {
  const builder = new JobBuilder();
  const entry: SnapshotFile = {
    type: "file",
    name: "f",
    mode: 0o4755,
    mtime: "1580608922000000007",
    size: 3,
    blobs: [],
  };
  builder.add("a", entry, Buffer.from("one"));
  builder.add("\xc3\xbc", entry, { bundle: bundle(70), at: 5, bytes: 4 });
  builder.add("b", entry, Buffer.from("three"));
  builder.add("c", entry, { bundle: bundle(70), at: 9, bytes: 2 });
  builder.add("d", entry, { bundle: bundle(80), at: 0, bytes: 3 });
  builder.add("e", entry, undefined);
  const { names, numbers, content, ...rest } = builder.build(12, 9);
  expect(Buffer.from(names).toString("latin1")).toBe("a\0\xc3\xbc\0b\0c\0d\0e\0");
  const places = [
    [0, 0, 0, 3],
    [2, 1, 5, 4],
    [5, 0, 3, 5],
    [7, 1, 9, 2],
    [9, 2, 0, 3],
    [11, 0, 0, 0],
  ];
  const time = [0o4755, 1580608922, 0, 7];
  expect([...numbers]).toEqual(places.flatMap(([name = 0, ...place]) => [name, ...time, ...place]));
  expect(Buffer.from(content).toString()).toBe("onethree");
  expect(rest).toEqual({ id: 12, directory: 9, bundles: [bundle(70), bundle(80)] });
});

test("a job keeps times exactly, of long ago and of far from now too", () => {
  const mtimes = ["0", "7", "999999999", "1000000000", "1580608922123456789", "-1", "-1000000000", "-1500000000"];
  const far = ["9223372036854775807", "-9223372036854775808", "99999999999999999999"];
  const job = jobOf([...mtimes, ...far]);
  expect([...mtimes, ...far].map((_, index) => String(timeIn(job, index)))).toEqual([...mtimes, ...far]);
});

test("what a file is comes back as it was told, with and without large numbers", () => {
  const about = { mode: 0o104755, links: 2, uid: 4_000_000_000, gid: 7, device: 4_100_000_000, size: 5 * 2 ** 33 + 1 };
  const told = [1580608922500000001n, -1500000000n].map((modifiedNs) => {
    return { ...about, inode: 2n ** 63n + 5n, changedNs: 1n, modifiedNs };
  });
  const stats = emptyStats(jobOf(["0", "0", "0"]));
  for (const [index, stat] of told.entries()) encodeStat(stats, index + 1, stat);
  expect(statIn(stats, 0)).toBeUndefined();
  const read = told.map((_, index) => statIn(stats, index + 1)!);
  expect(
    read.map(({ mode, links, uid, gid, device, inode, size, changedNs, modifiedNs }) => {
      return { mode, links, uid, gid, device, inode, size, changedNs, modifiedNs };
    }),
  ).toEqual(told);
  const changed = { seconds: 0, nanoseconds: 1 };
  const modified = [
    { seconds: 1580608922, nanoseconds: 500_000_001 },
    { seconds: -2, nanoseconds: 500_000_000 },
  ];
  const numbers = modified.map((time) => ({ changed, modified: time, inode: 5 }));
  expect([read.map(numbersOf), told.map(numbersOf)]).toEqual([numbers, numbers]);
});
