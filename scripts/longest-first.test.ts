import { existsSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { LONG_FILES, longestFirst } from "./lib/longest-first.ts";

const ROOT = path.resolve(import.meta.dirname, "..");

test("files that take longest start first, whatever project they are of; the others keep their order", () => {
  const [longest = "", second = ""] = Object.keys(LONG_FILES);
  const files = ["b.test.ts", second, "a.test.ts", longest].map((file) => ({ moduleId: path.join(ROOT, file) }));
  expect(longestFirst(files, ROOT).map(({ moduleId }) => path.relative(ROOT, moduleId))).toEqual([
    longest,
    second,
    "b.test.ts",
    "a.test.ts",
  ]);
});

test("the files that are said to take longest are there, the longest first", () => {
  expect(Object.keys(LONG_FILES).filter((file) => !existsSync(path.join(ROOT, file)))).toEqual([]);
  const seconds = Object.values(LONG_FILES);
  expect(seconds).toEqual(seconds.toSorted((one, other) => other - one));
});
