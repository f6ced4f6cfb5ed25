import { fstatSync, writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { lineFile } from "./line-file.ts";
import { openSpool } from "./network-spool.ts";

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "handrail-lines-"));
  path = join(directory, "lines");
  writeFileSync(path, "");
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(directory, { recursive: true });
});

/** A disk that is done when it is told so, and what it was asked for. */
function slowDisk() {
  const asked: string[] = [];
  const waiting: ((error?: Error) => void)[] = [];
  const disk = {
    sync: (file: number, done: (error: Error | null) => void) => {
      asked.push("later");
      waiting.push((error) => done(error ?? null));
      fstatSync(file);
    },
    syncNow: (file: number) => {
      asked.push("now");
      fstatSync(file);
    },
  };
  return { disk, asked, finish: (error?: Error) => waiting.shift()?.(error) };
}

const line = (n: number) => ({ type: "drop", id: n }) as const;
const isOpen = (file: number) => {
  try {
    return fstatSync(file).isFile();
  } catch {
    return false;
  }
};

test("the disk is asked for what was written, one time after the other, and for nothing when nothing was", () => {
  const { disk, asked, finish } = slowDisk();
  const file = lineFile(path, 0, disk);
  file.sync();
  expect(asked).toEqual([]);
  file.append(line(1));
  file.sync();
  file.append(line(2));
  file.sync();
  expect(asked).toEqual(["later"]);
  finish();
  file.sync();
  finish();
  file.sync();
  expect(asked).toEqual(["later", "later"]);
  file.append(line(3));
  file.sync();
  finish(new Error("the disk did not take it"));
  file.sync();
  expect(asked).toEqual(["later", "later", "later", "later"]);
  finish();
  file.close();
});

test("at the close the disk holds what was written, and is not asked when it does", () => {
  const { disk, asked, finish } = slowDisk();
  const file = lineFile(path, 0, disk);
  file.append(line(1));
  file.close();
  expect(asked).toEqual(["now"]);
  const other = lineFile(path, 0, disk);
  other.append(line(2));
  other.sync();
  finish();
  other.close();
  expect(asked).toEqual(["now", "later"]);
});

test("a file that is written anew is on the disk before it takes the place of the other, which is open as long as the disk is at it", async () => {
  const { disk, asked, finish } = slowDisk();
  const before: string[] = [];
  const opened: number[] = [];
  const seeing = {
    sync(file: number, done: (error: Error | null) => void) {
      opened.push(file);
      disk.sync(file, done);
    },
    syncNow(file: number) {
      before.push(`${fstatSync(file).size}`);
      disk.syncNow(file);
    },
  };
  const file = lineFile(path, 0, seeing);
  file.append(line(1));
  file.append(line(2));
  file.sync();
  file.replace([line(3)]);
  const [old = -1] = opened;
  expect([asked, before, isOpen(old)]).toEqual([["later", "now"], ["23"], true]);
  expect(await readFile(path, "utf8")).toBe('{"type":"drop","id":3}\n');
  finish();
  expect(isOpen(old)).toBe(false);
  file.close();
});

test("a file that the disk does not take stays what it was", async () => {
  const { disk } = slowDisk();
  const failing = {
    ...disk,
    syncNow: () => {
      throw new Error("full");
    },
  };
  const file = lineFile(path, 0, failing);
  file.append(line(1));
  file.replace([line(2)]);
  file.append(line(3));
  file.close();
  expect(await readFile(path, "utf8")).toBe('{"type":"drop","id":1}\n{"type":"drop","id":3}\n');
});

test("requests in the spool are on the disk after a second", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const { disk, asked, finish } = slowDisk();
  const spool = await openSpool(path, { now: () => 1 }, disk);
  spool.drop(0);
  spool.written("c_1", 1);
  vi.advanceTimersByTime(999);
  expect(asked).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(asked).toEqual(["later"]);
  finish();
  vi.advanceTimersByTime(5000);
  expect(asked).toEqual(["later"]);
  spool.close();
});
