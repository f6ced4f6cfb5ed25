import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { OperationArgs } from "@handrail/protocol/sandboxd/operations";
import { rgPath } from "@vscode/ripgrep";
import { afterEach, beforeEach, expect, test } from "vitest";
import { searchOperations } from "./search-operations.ts";

let top: string;
let workspace: string;
beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), "search-")));
  workspace = join(top, "workspace");
  mkdirSync(workspace);
});
afterEach(() => rmSync(top, { recursive: true }));

const context = { id: "call", signal: new AbortController().signal, feed: () => {} };
const env = { PATH: dirname(rgPath) };

function put(name: string, bytes: string | Buffer, mtime = 1000) {
  mkdirSync(dirname(join(workspace, name)), { recursive: true });
  writeFileSync(join(workspace, name), bytes);
  utimesSync(join(workspace, name), mtime, mtime);
}

function content(pattern: string, options: Partial<OperationArgs<"search.content">> = {}, signal = context.signal) {
  const args = { pattern, path: ".", ignoreCase: false, contextLines: 0, limit: 100, capBytes: 10_000, ...options };
  return searchOperations({ workspace, env })["search.content"](args, { ...context, signal });
}

function files(glob: string, path = ".", limit = 100) {
  return searchOperations({ workspace, env })["search.files"]({ glob, path, limit }, context);
}

test("lines that match are given by path and number", async () => {
  put("b/two.txt", "no\nfoo bar\r\n");
  put("a.txt", "foo\nno\nfoo\n");
  put(".hidden", "foo\n");
  put(".git/config", "foo\n");
  expect(await content("fo+")).toEqual({
    text: ".hidden:1:foo\na.txt:1:foo\na.txt:3:foo\nb/two.txt:2:foo bar",
    matches: 4,
    files: 3,
    more: false,
  });
});

test("nothing found is an answer", async () => {
  put("a.txt", "bar\n");
  expect(await content("foo")).toEqual({ text: "", matches: 0, files: 0, more: false });
});

test("lines around a match are marked, and case may be ignored", async () => {
  put("a.txt", "one\nFOO\nthree\nfour\n");
  const found = await content("foo", { contextLines: 1, ignoreCase: true });
  expect(found).toEqual({ text: "a.txt-1-one\na.txt:2:FOO\na.txt-3-three", matches: 1, files: 1, more: false });
});

test("the limits stop the search, and say that there is more", async () => {
  put("a.txt", "foo\n".repeat(100_000));
  expect(await content("foo", { limit: 2 })).toEqual({
    text: "a.txt:1:foo\na.txt:2:foo",
    matches: 2,
    files: 1,
    more: true,
  });
  expect(await content("foo", { capBytes: 30 })).toMatchObject({ matches: 2, more: true });
  put("a.txt", "foo\nfoo\n");
  expect(await content("foo", { limit: 2 })).toMatchObject({ matches: 2, more: false });
});

test("huge lines are cut", async () => {
  put("a.txt", `${"x".repeat(1000)}foo${"x".repeat(100_000)}\n`);
  expect((await content("foo")).text.length).toBeLessThan(600);
});

test("the pattern and the path are never options, nor a shell's", async () => {
  put("--files", "--version $(id)\n");
  expect(await content("--version \\$\\(id\\)", { path: "--files" })).toMatchObject({
    text: "--files:1:--version $(id)",
  });
});

test("a glob narrows the search and does not bring ignored files back", async () => {
  put(".gitignore", "*.log\nout/\n");
  put("a.log", "foo\n");
  put("out/b.ts", "foo\n");
  put("src/c.ts", "foo\n");
  put("src/d.js", "foo\n");
  expect(await content("foo", { glob: "*.{ts,log}" })).toMatchObject({ text: "src/c.ts:1:foo" });
  expect(await content("foo", { glob: "src/*.js" })).toMatchObject({ text: "src/d.js:1:foo" });
  expect(await content("foo", { glob: "*.js", path: "src" })).toMatchObject({ text: "src/d.js:1:foo" });
  expect(await content("foo", { glob: "!*.js" })).toMatchObject({ text: "src/c.ts:1:foo" });
});

test("a bad pattern is refused with ripgrep's words", async () => {
  const message = expect.stringContaining("unclosed group");
  await expect(content("foo(")).rejects.toMatchObject({ code: "search_failed", message });
});

test("a path that is not there is path_missing, one outside the workspace is shown whole", async () => {
  await expect(content("foo", { path: "none" })).rejects.toMatchObject({ code: "path_missing" });
  writeFileSync(join(top, "out.txt"), "foo\n");
  expect(await content("foo", { path: "../out.txt" })).toMatchObject({ text: `${top}/out.txt:1:foo` });
});

test("names that are not UTF-8 are written so that they can be read back", async () => {
  writeFileSync(Buffer.concat([Buffer.from(`${workspace}/`), Buffer.from([0xff])]), "foo\n");
  expect(await content("foo")).toMatchObject({ text: "\\xff:1:foo" });
  expect(await files("*")).toEqual({ paths: ["\\xff"], more: false });
});

test("without ripgrep the search fails with a sentence", async () => {
  const { "search.files": search } = searchOperations({ workspace, env: { PATH: top } });
  await expect(search({ glob: "*", path: ".", limit: 1 }, context)).rejects.toMatchObject({ code: "search_failed" });
});

test("a cancelled search stops ripgrep and ends with the signal's reason", async () => {
  writeFileSync(join(top, "rg"), "#!/bin/sh\nexec sleep 1000\n", { mode: 0o755 });
  const slow = searchOperations({ workspace, env: { PATH: `${top}:/usr/bin:/bin` } });
  const controller = new AbortController();
  const searching = slow["search.files"]({ glob: "*", path: ".", limit: 1 }, { ...context, signal: controller.signal });
  const reason = new Error("cancelled");
  controller.abort(reason);
  await expect(searching).rejects.toBe(reason);
});

test("a pipe is refused at once", async () => {
  execFileSync("mkfifo", [join(workspace, "pipe")]);
  await expect(content("foo", { path: "pipe" })).rejects.toMatchObject({ code: "path_not_file" });
});

test("files come newest first, up to the limit", async () => {
  put("old.ts", "", 1000);
  put("src/new.ts", "", 3000);
  put("src/middle.ts", "", 2000);
  put("src/other.js", "", 4000);
  expect(await files("*.ts")).toEqual({ paths: ["src/new.ts", "src/middle.ts", "old.ts"], more: false });
  expect(await files("**/*.ts", ".", 2)).toEqual({ paths: ["src/new.ts", "src/middle.ts"], more: true });
  expect(await files("src/*.ts")).toEqual({ paths: ["src/new.ts", "src/middle.ts"], more: false });
  expect(await files("*.{js,ts}", "src", 1)).toEqual({ paths: ["src/other.js"], more: true });
  expect(await files("*.py")).toEqual({ paths: [], more: false });
});

test.each(["*", "**", "**/*", "*.*", "{,**/}*.*"])(
  "the glob %j leaves ignored files and git's own out",
  async (glob) => {
    put(".gitignore", "*.log\nout/\n", 2000);
    put("a.log", "");
    put("out/b.ts", "");
    put(".git/x.y", "");
    put(".github/ci.yml", "", 1000);
    expect(await files(glob)).toEqual({ paths: [".gitignore", ".github/ci.yml"], more: false });
  },
);
