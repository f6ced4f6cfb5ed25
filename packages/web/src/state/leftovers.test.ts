import type { FileChange } from "@handrail/protocol/changes";
import { expect, test } from "vitest";
import { leftovers } from "./leftovers.ts";

const added = (path: string): FileChange => ({ path, status: "added", binary: false });

test("what builds and test runs leave behind is named, a directory once", () => {
  expect(
    leftovers(
      [
        "src/app.py",
        "src/__pycache__/app.cpython-313.pyc",
        "src/__pycache__/util.cpython-313.pyc",
        "web/node_modules/a/dist/a.js",
        "web/node_modules/b/b.js",
        "stray.pyc",
        "npm-debug.log",
        ".coverage",
        "lib.egg-info/PKG-INFO",
      ].map(added),
    ),
  ).toEqual([
    { path: ".coverage", files: 1 },
    { path: "lib.egg-info/", files: 1 },
    { path: "npm-debug.log", files: 1 },
    { path: "src/__pycache__/", files: 2 },
    { path: "stray.pyc", files: 1 },
    { path: "web/node_modules/", files: 2 },
  ]);
});

test("files that belong to the work are not named: sources, names that only look alike, and what was there before", () => {
  const work = ["src/distance.ts", "src/coverage.ts", "docs/log.md", "tests/test_log.py", "dist", "logs/readme"];
  expect(leftovers(work.map(added))).toEqual([]);
  expect(leftovers([{ ...added("dist/app.js"), status: "modified" }])).toEqual([]);
});
