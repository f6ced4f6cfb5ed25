import { createHash } from "node:crypto";
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OperationArgs } from "@handrail/protocol/sandboxd/operations";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fileOperations } from "./file-operations.ts";

let top: string;
let workspace: string;
beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), "files-")));
  workspace = join(top, "workspace");
  mkdirSync(workspace);
});
afterEach(() => rmSync(top, { recursive: true }));

const context = { id: "call", signal: new AbortController().signal, feed: () => {} };
const hashOf = (bytes: string | Buffer) => createHash("sha256").update(bytes).digest("hex");
const at = (name: string) => join(workspace, name);
const content = (name: string) => readFileSync(at(name), "latin1");

function edit(path: string, oldText: string, newText: string, options: Partial<OperationArgs<"file.edit">> = {}) {
  const args = { path, oldText, newText, all: false, ...options };
  return fileOperations({ workspace })["file.edit"](args, context);
}

function write(path: string, text: string, expectedHash?: string | null) {
  const expected = expectedHash === undefined ? {} : { expectedHash };
  return fileOperations({ workspace })["file.write"]({ path, text, ...expected }, context);
}

test("an edit replaces the text and says what it did", async () => {
  writeFileSync(at("a.txt"), "one\ntwo\nthree");
  expect(await edit("a.txt", "two", "2")).toEqual({
    path: "a.txt",
    hash: hashOf("one\n2\nthree"),
    edit: {
      path: "a.txt",
      created: false,
      added: 1,
      removed: 1,
      hunks: "@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n\\ No newline at end of file\n",
    },
    replaced: 1,
  });
  expect(content("a.txt")).toBe("one\n2\nthree");
});

test("bytes outside the match stay as they are", async () => {
  writeFileSync(at("a.txt"), Buffer.from("\u00ff\u00fe\r\nkey=1\n\u00e9\0", "latin1"));
  await edit("a.txt", "key=1", "key=\u20ac");
  expect(content("a.txt")).toBe(`\u00ff\u00fe\r\nkey=${Buffer.from("\u20ac").toString("latin1")}\n\u00e9\0`);
});

test.each([
  {
    name: "text with plain line feeds matches",
    before: "a\r\nb\r\nc\r\n",
    edit: ["a\nb", "x\ny"],
    after: "x\r\ny\r\nc\r\n",
  },
  { name: "new lines end as the file's do", before: "a\r\nb\r\n", edit: ["b", "b\nc"], after: "a\r\nb\r\nc\r\n" },
  { name: "a leading line feed takes the whole end", before: "a\r\nb\r\n", edit: ["\nb", "\nc"], after: "a\r\nc\r\n" },
  { name: "exact text goes first", before: "a\nb\r\na\r\nb\r\n", edit: ["a\nb", "x\ny"], after: "x\ny\r\na\r\nb\r\n" },
])("with CRLF, $name", async ({ before, edit: [oldText = "", newText = ""], after }) => {
  writeFileSync(at("a.txt"), before);
  await edit("a.txt", oldText, newText);
  expect(content("a.txt")).toBe(after);
});

test("text that occurs more than once is refused with its lines, or replaced everywhere", async () => {
  writeFileSync(at("a.txt"), "x\ny\nx\nxx\n");
  await expect(edit("a.txt", "x", "z")).rejects.toMatchObject({
    code: "edit_not_unique",
    message: expect.stringContaining("at lines 1, 3, 4, 4."),
  });
  expect(content("a.txt")).toBe("x\ny\nx\nxx\n");
  expect(await edit("a.txt", "x", "xx", { all: true })).toMatchObject({ replaced: 4 });
  expect(content("a.txt")).toBe("xx\ny\nxx\nxxxx\n");
});

test.each([
  ["\tif (a)  {\n", "other whitespace at line 2"],
  ["if (a) {\n  c", "its first line is at line 2"],
  ["nowhere", "copy the text exactly"],
])("text that is not there, %j, is refused with what comes closest", async (oldText, hint) => {
  writeFileSync(at("a.txt"), "start\n  if (a) {\n    b\n");
  const message = expect.stringContaining(hint);
  await expect(edit("a.txt", oldText, "")).rejects.toMatchObject({ code: "edit_no_match", message });
});

test("a file that is not what was read is left alone", async () => {
  writeFileSync(at("a.txt"), "one");
  const expectedHash = hashOf("old");
  await expect(edit("a.txt", "one", "two", { expectedHash })).rejects.toMatchObject({ code: "file_changed" });
  await expect(write("a.txt", "two", expectedHash)).rejects.toMatchObject({ code: "file_changed" });
  await expect(write("gone.txt", "two", expectedHash)).rejects.toMatchObject({ code: "file_changed" });
  expect([content("a.txt"), readdirSync(workspace)]).toEqual(["one", ["a.txt"]]);
  await edit("a.txt", "one", "two", { expectedHash: hashOf("one") });
  expect(content("a.txt")).toBe("two");
});

test("writing makes directories, and leaves nothing else behind", async () => {
  expect(await write("a/b/c.txt", "one\n", null)).toEqual({
    path: "a/b/c.txt",
    hash: hashOf("one\n"),
    edit: { path: "a/b/c.txt", created: true, added: 1, removed: 0, hunks: "@@ -0,0 +1,1 @@\n+one\n" },
  });
  expect(readdirSync(at("a/b"))).toEqual(["c.txt"]);
  await expect(write("a/b/c.txt", "two\n", null)).rejects.toMatchObject({ code: "file_exists" });
  expect(content("a/b/c.txt")).toBe("one\n");
});

test("names that are not UTF-8 survive", async () => {
  expect(await write("\\xff.txt", "x")).toMatchObject({ path: "\\xff.txt" });
  expect(readdirSync(workspace, { encoding: "buffer" })).toEqual([Buffer.from([0xff, 0x2e, 0x74, 0x78, 0x74])]);
});

test("an edit keeps the mode, links and hard links", async () => {
  writeFileSync(at("a.sh"), "one");
  chmodSync(at("a.sh"), 0o750);
  symlinkSync("a.sh", at("link"));
  await edit("link", "one", "two");
  expect([lstatSync(at("link")).isSymbolicLink(), statSync(at("a.sh")).mode & 0o777]).toEqual([true, 0o750]);
  linkSync(at("a.sh"), at("hard"));
  await write("hard", "3");
  expect([content("a.sh"), content("hard")]).toEqual(["3", "3"]);
});

test("a file replaced by a rename is a new one, so readers keep the old", async () => {
  writeFileSync(at("a.txt"), "one");
  const before = statSync(at("a.txt")).ino;
  await write("a.txt", "two");
  expect(statSync(at("a.txt")).ino).not.toBe(before);
});

test("writing reaches any path of the sandbox, also through a link to nothing yet", async () => {
  symlinkSync("../new.txt", at("link"));
  expect(await write("link", "one")).toMatchObject({ path: join(top, "new.txt"), edit: { created: true } });
  await edit(join(top, "new.txt"), "one", "two");
  expect(readFileSync(join(top, "new.txt"), "utf8")).toBe("two");
});

test("what is no file is refused", async () => {
  writeFileSync(at("a.txt"), "one");
  symlinkSync("loop", at("loop"));
  await expect(write(".", "x")).rejects.toMatchObject({ code: "path_not_file" });
  await expect(write("/dev/null", "x")).rejects.toMatchObject({ code: "path_not_file" });
  await expect(write("a.txt/b", "x")).rejects.toMatchObject({ code: "path_missing" });
  await expect(write("loop", "x")).rejects.toMatchObject({ code: "path_outside" });
  await expect(edit("none", "x", "y")).rejects.toMatchObject({ code: "path_missing" });
});

test("an edit that would make the file too large is refused", async () => {
  writeFileSync(at("a.txt"), "x".repeat(1000));
  await expect(edit("a.txt", "x", "y".repeat(70_000), { all: true })).rejects.toMatchObject({ code: "file_too_large" });
});
