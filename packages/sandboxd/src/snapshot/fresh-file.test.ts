import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SnapshotFile } from "@handrail/protocol/snapshots";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fileStat, modeOf } from "./file-stat.ts";
import { writeFresh } from "./fresh-file.ts";
import { openNative } from "./native.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "handrail-fresh-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const native = await openNative();
const blob = (name: string) => Buffer.from(name);
const file: SnapshotFile = { type: "file", name: "f", mode: 0o4751, mtime: "1580608922000000000", size: 6, blobs: [] };

test("a file is whole, with its mode and time, and what is said of it is what it is", () => {
  const at = join(directory, "f");
  const written = writeFresh(at, { ...file, blobs: ["one", "two"] }, { native, blob });
  const stat = fileStat(lstatSync(at, { bigint: true }));
  expect(readFileSync(at, "utf8")).toBe("onetwo");
  expect([modeOf(stat), stat.modifiedNs, stat.size]).toEqual([0o4751, 1580608922000000000n, 6]);
  expect(written).toEqual(stat);
});

test("what has the name already is left alone, a link and what it leads to as well", () => {
  writeFileSync(join(directory, "there"), "there");
  symlinkSync("there", join(directory, "link"));
  symlinkSync("nowhere", join(directory, "dangling"));
  for (const name of ["there", "link", "dangling"]) {
    expect(writeFresh(join(directory, name), { ...file, blobs: ["new"] }, { native, blob })).toBeUndefined();
  }
  expect(readFileSync(join(directory, "there"), "utf8")).toBe("there");
  expect(readdirSync(directory).sort()).toEqual(["dangling", "link", "there"]);
});

test("nothing is left of a file that cannot be written whole", () => {
  const missing = (name: string) => {
    if (name === "two") throw new Error("missing");
    return blob(name);
  };
  const broken = { ...file, blobs: ["one", "two"] };
  expect(() => writeFresh(join(directory, "f"), broken, { native, blob: missing })).toThrow("missing");
  expect(readdirSync(directory)).toEqual([]);
});
