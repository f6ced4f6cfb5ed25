import {
  closeSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fileStat, modeOf } from "../native/file-stat.ts";
import { writeFresh } from "./fresh-file.ts";
import { openNative } from "../native/native.ts";

let directory: string;
let place: number;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "handrail-fresh-"));
  place = openSync(directory, "r");
});
afterEach(() => {
  closeSync(place);
  rmSync(directory, { recursive: true, force: true });
});

const native = await openNative();
const text = (...pieces: string[]) => ({
  mode: 0o4751,
  mtime: "1580608922000000000",
  pieces: pieces.map((piece) => Buffer.from(piece)),
});

test("a file is whole, with its mode and time, and what is said of it is what it is", () => {
  const at = join(directory, "f");
  const written = writeFresh({ directory: place, name: "f" }, text("one", "two"), native);
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
    expect(writeFresh({ directory: place, name }, text("new"), native)).toBeUndefined();
  }
  expect(readFileSync(join(directory, "there"), "utf8")).toBe("there");
  expect(readdirSync(directory).sort()).toEqual(["dangling", "link", "there"]);
});

test("nothing is left of a file that cannot be written whole", () => {
  const pieces = function* () {
    yield Buffer.from("one");
    throw new Error("missing");
  };
  const broken = { ...text(), pieces: pieces() };
  expect(() => writeFresh({ directory: place, name: "f" }, broken, native)).toThrow("missing");
  expect(readdirSync(directory)).toEqual([]);
});
