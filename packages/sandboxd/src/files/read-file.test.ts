import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
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
const put = (name: string, bytes: string | Buffer) => writeFileSync(join(workspace, name), bytes);

function read(path: string, options: Partial<OperationArgs<"file.read">> = {}) {
  const args = { path, fromLine: 1, maxLines: 100, capBytes: 100_000, within: "workspace", ...options } as const;
  return fileOperations({ workspace })["file.read"](args, context);
}

test("a part of a file keeps its line ends, and the hash is of the whole file", async () => {
  put("a.txt", "one\r\ntwo\nthree\r\nfour");
  expect(await read("a.txt", { fromLine: 2, maxLines: 2 })).toEqual({
    path: "a.txt",
    hash: hashOf("one\r\ntwo\nthree\r\nfour"),
    size: 20,
    text: "two\nthree\r\n",
    fromLine: 2,
    lines: 2,
    totalLines: 4,
    cutLines: 0,
  });
});

test.each([
  ["", "", 0],
  ["one", "one", 1],
  ["one\n", "one\n", 1],
  ["\n\n", "\n\n", 2],
  ["\uFEFFone\n", "\uFEFFone\n", 1],
])("the text %j is shown whole and its lines are counted", async (bytes, text, totalLines) => {
  put("a.txt", bytes);
  expect(await read("a.txt")).toMatchObject({ text, lines: totalLines, totalLines });
});

test("lines past the end are none", async () => {
  put("a.txt", "one\n");
  expect(await read("a.txt", { fromLine: 5 })).toMatchObject({ text: "", lines: 0, totalLines: 1 });
});

test("huge lines are cut to 2,000 characters, keep their ends, and are counted", async () => {
  const wide = "\u20ac".repeat(300_000);
  put("a.txt", `${wide}\r\nshort\n${wide}\n${"x".repeat(2000)}\r\n`);
  const cut = "\u20ac".repeat(2000);
  expect(await read("a.txt")).toMatchObject({
    text: `${cut}\r\nshort\n${cut}\n${"x".repeat(2000)}\r\n`,
    totalLines: 4,
    cutLines: 2,
  });
});

test("a cut line does not end with half a character", async () => {
  put("a.txt", `x${"\u{1f600}".repeat(1500)}\n`);
  expect(await read("a.txt")).toMatchObject({ text: `x${"\u{1f600}".repeat(999)}\n`, cutLines: 1 });
});

test("the cap leaves whole lines for the next call, but cuts a first line that is over it", async () => {
  put("a.txt", "aaaa\nbbbb\ncccc\n");
  expect(await read("a.txt", { capBytes: 12 })).toMatchObject({ text: "aaaa\nbbbb\n", lines: 2, cutLines: 0 });
  expect(await read("a.txt", { capBytes: 3 })).toMatchObject({ text: "aaa", lines: 1, cutLines: 1 });
});

test("a large file is read in pieces that split lines and characters anywhere", async () => {
  const lines = Array.from({ length: 200_000 }, (_, index) => `line ${index} \u20ac\n`);
  put("a.txt", lines.join(""));
  expect(await read("a.txt", { fromLine: 150_000, maxLines: 2 })).toMatchObject({
    hash: hashOf(lines.join("")),
    text: "line 149999 \u20ac\nline 150000 \u20ac\n",
    totalLines: 200_000,
  });
});

test("bytes that are not UTF-8 are shown as replacement characters and hashed as they are", async () => {
  const bytes = Buffer.from("caf\u00e9\n", "latin1");
  put("a.txt", bytes);
  expect(await read("a.txt")).toMatchObject({ text: "caf\uFFFD\n", hash: hashOf(bytes), size: 5 });
});

test("binary files are refused, images are given", async () => {
  put("a.bin", Buffer.from([65, 0, 66]));
  await expect(read("a.bin")).rejects.toMatchObject({ code: "file_binary" });
  const png = Buffer.from("\u0089PNG\r\n\u001a\n\0\0", "latin1");
  put("a.png", png);
  expect(await read("a.png")).toMatchObject({ image: { mediaType: "image/png", data: png.toString("base64") } });
  put("large.png", Buffer.concat([png, Buffer.alloc(5 * 1024 * 1024)]));
  await expect(read("large.png")).rejects.toMatchObject({ code: "file_binary" });
});

test("a name that is not UTF-8 is read by its text", async () => {
  writeFileSync(Buffer.concat([Buffer.from(`${workspace}/`), Buffer.from([0x61, 0xff])]), "x\n");
  expect(await read("a\\xff")).toMatchObject({ path: "a\\xff", text: "x\n" });
});

test("pipes, devices and directories are refused at once", async () => {
  execFileSync("mkfifo", [join(workspace, "pipe")]);
  await expect(read("pipe")).rejects.toMatchObject({ code: "path_not_file" });
  await expect(read("/dev/zero", { within: "sandbox" })).rejects.toMatchObject({ code: "path_not_file" });
  await expect(read(".")).rejects.toMatchObject({ code: "path_not_file" });
});

test("paths that lead out of the workspace are refused there, through links too, and allowed in the sandbox", async () => {
  writeFileSync(join(top, "secret"), "out\n");
  symlinkSync(join(top, "secret"), join(workspace, "link"));
  symlinkSync("..", join(workspace, "up"));
  for (const path of ["../secret", "link", "up/secret", join(top, "secret")]) {
    await expect(read(path)).rejects.toMatchObject({ code: "path_outside" });
    expect(await read(path, { within: "sandbox" })).toMatchObject({ text: "out\n", path: join(top, "secret") });
  }
});

test("what is missing outside the workspace is outside, not missing", async () => {
  symlinkSync("..", join(workspace, "up"));
  symlinkSync("../none", join(workspace, "dangling"));
  for (const path of ["../none", "up/none", "dangling", "/none"]) {
    await expect(read(path)).rejects.toMatchObject({ code: "path_outside" });
  }
});

test("a link inside the workspace is followed, and a name that begins like the workspace is outside", async () => {
  put("real.txt", "in\n");
  symlinkSync("real.txt", join(workspace, "link"));
  expect(await read("link")).toMatchObject({ text: "in\n" });
  writeFileSync(`${workspace}-more`, "out\n");
  await expect(read("../workspace-more")).rejects.toMatchObject({ code: "path_outside" });
});

test("nothing at a path is path_missing, and a zero byte is refused", async () => {
  await expect(read("none")).rejects.toMatchObject({ code: "path_missing" });
  await expect(read("a\\x00")).rejects.toMatchObject({ code: "tool_arguments" });
});

test("a cancelled read ends with the signal's reason", async () => {
  put("a.txt", "one\n");
  const reason = new Error("cancelled");
  const call = { ...context, signal: AbortSignal.abort(reason) };
  const args = { path: "a.txt", fromLine: 1, maxLines: 1, capBytes: 10, within: "workspace" } as const;
  await expect(fileOperations({ workspace })["file.read"](args, call)).rejects.toBe(reason);
});

test("file.bytes gives a part, and nothing past the end", async () => {
  put("a.bin", Buffer.from([0, 1, 2, 3, 4]));
  const bytes = (offset: number, length: number) =>
    fileOperations({ workspace })["file.bytes"]({ path: "a.bin", offset, length, within: "workspace" }, context);
  expect(await bytes(3, 10)).toEqual({ path: "a.bin", size: 5, data: Buffer.from([3, 4]).toString("base64") });
  expect(await bytes(9, 10)).toEqual({ path: "a.bin", size: 5, data: "" });
});

test("file.bytes gives at most 4 MiB a call", async () => {
  put("a.bin", Buffer.alloc(5 * 1024 * 1024));
  const args = { path: "a.bin", offset: 0, length: 10 * 1024 * 1024, within: "workspace" } as const;
  const { data } = await fileOperations({ workspace })["file.bytes"](args, context);
  expect(Buffer.from(data, "base64").length).toBe(4 * 1024 * 1024);
});

test("file.list gives directories first, then names in order, and never follows links", async () => {
  put("b.txt", "12345");
  writeFileSync(join(workspace, "run.sh"), "", { mode: 0o755 });
  mkdirSync(join(workspace, "z"));
  symlinkSync("/etc/passwd", join(workspace, "a"));
  execFileSync("mkfifo", [join(workspace, "pipe")]);
  const list = (limit: number) =>
    fileOperations({ workspace })["file.list"]({ path: ".", limit, within: "workspace" }, context);
  const { path, entries, more } = await list(10);
  expect({ path, more, names: entries.map(({ name, type }) => [name, type]) }).toEqual({
    path: ".",
    more: false,
    names: [
      ["z", "directory"],
      ["a", "link"],
      ["b.txt", "file"],
      ["pipe", "other"],
      ["run.sh", "file"],
    ],
  });
  expect(entries[1]).toMatchObject({ target: "/etc/passwd", executable: false });
  expect(entries.slice(2).map(({ size, executable }) => [size, executable])).toEqual([
    [5, false],
    [0, false],
    [0, true],
  ]);
  expect(await list(2)).toMatchObject({ entries: [{ name: "z" }, { name: "a" }], more: true });
});

test("file.list of a file says that it is no directory", async () => {
  put("a.txt", "");
  const args = { path: "a.txt", limit: 1, within: "workspace" } as const;
  await expect(fileOperations({ workspace })["file.list"](args, context)).rejects.toMatchObject({
    code: "path_not_file",
  });
});
