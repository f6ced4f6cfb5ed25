import { statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { sharedSpace, unwrittenBytes } from "./shared-space.ts";

test("where little is known of a file system four times as much is to stay free", () => {
  const isExt = statfsSync(tmpdir()).type === 0xef53;
  expect(sharedSpace([tmpdir()], 10).bytes).toBe(isExt ? 10 : 40);
  expect(sharedSpace([tmpdir(), "/proc"], 10).bytes).toBe(40);
});

test("what says nothing of its space is never full", () => {
  expect(sharedSpace(["/proc"], 10).free()).toBe(Number.POSITIVE_INFINITY);
});

test("what is not written yet is told of the machine", () => {
  const meminfo = "MemTotal:       100 kB\nDirty:             3 kB\nWriteback:         4 kB\nWritebackTmp:      5 kB\n";
  expect(unwrittenBytes(meminfo)).toBe(7 * 1024);
  expect(unwrittenBytes("")).toBe(0);
});
