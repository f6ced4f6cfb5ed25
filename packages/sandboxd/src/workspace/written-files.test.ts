import { execFileSync } from "node:child_process";
import { lstatSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { fileStat } from "../snapshot/native/file-stat.ts";
import { WrittenFiles } from "./written-files.ts";

let workspace: string;
let written: WrittenFiles;

beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), "handrail-written-"));
  onTestFinished(() => rmSync(workspace, { recursive: true, force: true }));
  writeFileSync(join(workspace, "a"), "one");
  writeFileSync(join(workspace, "b"), "three");
  for (const args of [
    ["init", "-q"],
    ["add", "-A"],
  ])
    execFileSync("git", args, { cwd: workspace });
  written = new WrittenFiles();
});

const add = (...paths: string[]) => {
  for (const path of paths) {
    const full = join(workspace, path);
    written.add(path, fileStat(lstatSync(full, { bigint: true })), [readFileSync(full)]);
  }
};

test("files count as the index' own whether they come before it or after it, and git's own do not", () => {
  add("a", ".git/HEAD", ".git/index", "b");
  expect(written.take()?.whole).toEqual({ files: 2, bytes: 8 });
  expect(written.take()).toBeUndefined();
});

test("what was written before it was asked is forgotten", () => {
  add("a", "b");
  expect(written.take()).toBeUndefined();
  add(".git/index");
  expect(written.take()?.whole).toBeUndefined();
});

test("an index that comes after too many files is not known to be all of them", () => {
  add("a", "b");
  const stat = fileStat(lstatSync(workspace, { bigint: true }));
  for (let number = 0; number < 10_001; number++) written.add(`${number}`, stat, []);
  add(".git/index");
  expect(written.take()?.whole).toBeUndefined();
});
