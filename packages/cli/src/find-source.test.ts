import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { UsageError } from "./exit-codes.ts";
import { findSource } from "./find-source.ts";

const root = realpathSync(mkdtempSync(path.join(tmpdir(), "handrail-source-")));
mkdirSync(path.join(root, "repository/.git"), { recursive: true });
mkdirSync(path.join(root, "repository/deep/er"), { recursive: true });
mkdirSync(path.join(root, "plain"));
writeFileSync(path.join(root, "file"), "");
afterAll(() => rmSync(root, { recursive: true }));

test("without --repo it is the repository that one is in", () => {
  const folder = path.join(root, "repository");
  expect(findSource(undefined, undefined, path.join(folder, "deep/er"))).toEqual({ type: "folder", path: folder });
  expect(() => findSource(undefined, undefined, path.join(root, "plain"))).toThrow(/--repo DIR or --repo URL/);
});

test("a folder is copied, or cloned when a branch is named", () => {
  const folder = path.join(root, "repository");
  expect(findSource("repository", undefined, root)).toEqual({ type: "folder", path: folder });
  expect(findSource("./repository", "main", root)).toEqual({ type: "git", url: folder, branch: "main" });
});

test.each(["https://host/a.git", "ssh://git@host/a", "git@host:a/b.git", "file:///srv/a"])("%s is cloned", (url) => {
  expect(findSource(url, undefined, root)).toEqual({ type: "git", url });
  expect(findSource(url, "b", root)).toEqual({ type: "git", url, branch: "b" });
});

test("demo and empty are words, and take no branch", () => {
  expect(findSource("demo", undefined, root)).toEqual({ type: "demo" });
  expect(findSource("empty", undefined, root)).toEqual({ type: "empty" });
  expect(() => findSource("demo", "main", root)).toThrow(UsageError);
});

test("what is not there, or is a file, is refused by name", () => {
  expect(() => findSource("nowhere", undefined, root)).toThrow(path.join(root, "nowhere"));
  expect(() => findSource("file", undefined, root)).toThrow(/is a file/);
});
