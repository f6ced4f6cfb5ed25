import { expect, test } from "vitest";
import { callsOf, type Calls, type SandboxOpener } from "./sandbox-fixture.ts";

const PART = { fromLine: 1, maxLines: 100, capBytes: 10_000, within: "workspace" } as const;

/** The file's bytes as hexadecimal digits. */
const hex = async ({ call }: Calls, path: string) => {
  const { data } = await call("file.bytes", { path, offset: 0, length: 10_000, within: "workspace" });
  return Array.from(atob(data), (character) => character.charCodeAt(0).toString(16).padStart(2, "0")).join("");
};

export function sandboxFileContract(name: string, open: SandboxOpener): void {
  editing(name, open);
  preserving(name, open);
  paths(name, open);
}

function editing(name: string, open: SandboxOpener): void {
  test(`${name}: a file is written, read in parts, and edited with a diff`, async () => {
    const { call, write } = callsOf((await open()).sandbox);
    const written = await write("src/a.txt", "one\ntwo\nthree\n");
    expect(written.edit).toEqual({
      path: "src/a.txt",
      created: true,
      added: 3,
      removed: 0,
      hunks: "@@ -0,0 +1,3 @@\n+one\n+two\n+three\n",
    });
    const part = await call("file.read", { ...PART, path: "src/a.txt", fromLine: 2, maxLines: 1 });
    expect(part).toMatchObject({
      path: "src/a.txt",
      hash: written.hash,
      text: "two\n",
      fromLine: 2,
      lines: 1,
      totalLines: 3,
    });
    const edit = { path: "src/a.txt", oldText: "two", newText: "2", all: false, expectedHash: written.hash };
    const edited = await call("file.edit", edit);
    expect(edited).toMatchObject({ replaced: 1, edit: { created: false, added: 1, removed: 1 } });
    expect(edited.edit.hunks).toBe("@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n");
  });

  test(`${name}: an edit is refused when its text is missing, not unique, or the file changed`, async () => {
    const { call, write } = callsOf((await open()).sandbox);
    const { hash } = await write("a.txt", "same same\n");
    const edit = { path: "a.txt", newText: "x", all: false } as const;
    await expect(call("file.edit", { ...edit, oldText: "other" })).rejects.toMatchObject({ code: "edit_no_match" });
    await expect(call("file.edit", { ...edit, oldText: "same" })).rejects.toMatchObject({ code: "edit_not_unique" });
    expect(await call("file.edit", { ...edit, oldText: "same", all: true })).toMatchObject({ replaced: 2 });
    const stale = call("file.edit", { ...edit, oldText: "x x", expectedHash: hash });
    await expect(stale).rejects.toMatchObject({ code: "file_changed" });
    await expect(call("file.write", { path: "a.txt", text: "", expectedHash: null })).rejects.toMatchObject({
      code: "file_exists",
    });
  });
}

function preserving(name: string, open: SandboxOpener): void {
  test(`${name}: an edit leaves line ends, bytes that are no text, the mode and a missing last newline`, async () => {
    const calls = callsOf((await open()).sandbox);
    await calls.shell("printf 'a\\r\\nb\\377\\r\\nc' > mixed.txt; chmod 750 mixed.txt");
    await calls.call("file.edit", { path: "mixed.txt", oldText: "a\n", newText: "A\nA\n", all: false });
    expect(await hex(calls, "mixed.txt")).toBe("410d0a410d0a62ff0d0a63");
    expect(await calls.shell("stat -c %a mixed.txt")).toBe("750\n");
  });

  test(`${name}: a replacement is taken as it is, dollar signs too`, async () => {
    const { call, write, shell } = callsOf((await open()).sandbox);
    await write("a.txt", "x");
    await call("file.edit", { path: "a.txt", oldText: "x", newText: "$& $1 $$", all: false });
    expect(await shell("cat a.txt")).toBe("$& $1 $$");
  });

  test(`${name}: names that are not UTF-8 are listed, read, and changed under the same name`, async () => {
    const { call, shell } = callsOf((await open()).sandbox);
    await shell("printf x > \"$(printf 'n\\377m')\"");
    const { entries } = await call("file.list", { path: ".", limit: 10, within: "workspace" });
    expect(entries).toEqual([{ name: "n\\xffm", type: "file", size: 1, executable: false }]);
    await call("file.edit", { path: "n\\xffm", oldText: "x", newText: "y", all: false });
    expect(await shell("ls | wc -l; cat *")).toMatch(/^\s*1\ny$/);
  });

  test(`${name}: binary files are not read as text, images are images, pipes do not hang`, async () => {
    const { call, shell } = callsOf((await open()).sandbox);
    await shell("printf 'a\\0b' > binary; printf '\\211PNG\\r\\n\\032\\n1234' > image.png; mkfifo pipe");
    await expect(call("file.read", { ...PART, path: "binary" })).rejects.toMatchObject({ code: "file_binary" });
    expect((await call("file.read", { ...PART, path: "image.png" })).image?.mediaType).toBe("image/png");
    await expect(call("file.read", { ...PART, path: "pipe" })).rejects.toMatchObject({ code: "path_not_file" });
    await expect(call("file.read", { ...PART, path: "none" })).rejects.toMatchObject({ code: "path_missing" });
  });
}

function paths(name: string, open: SandboxOpener): void {
  test(`${name}: paths that lead out of the workspace are refused, through links too`, async () => {
    const { call, shell, write } = callsOf((await open()).sandbox);
    await shell("ln -s /etc/passwd file; ln -s / root; ln -s /nowhere/at/all dangling; mkdir in; ln -s in inner");
    for (const path of ["../up.txt", "/etc/passwd", "file", "root/etc/passwd", "in/../../up.txt"]) {
      await expect(call("file.read", { ...PART, path }), path).rejects.toHaveProperty(
        "code",
        expect.stringMatching(/^path_(outside|missing)$/),
      );
    }
    expect(await write("inner/ok.txt", "yes")).toMatchObject({ path: "in/ok.txt" });
    expect(await call("file.read", { ...PART, path: "/etc/passwd", within: "sandbox" })).toMatchObject({
      path: "/etc/passwd",
    });
  });
}
