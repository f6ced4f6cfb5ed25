import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { PatchFile } from "./patch-file.ts";
import { outputOf, privateGit, type RunGit } from "./private-git.ts";
import { WrittenFiles } from "./written-files.ts";

const MEBIBYTE = 1024 ** 2;

/** Trees before and after a change of a file of a mebibyte, and what git was asked for since. */
async function changedFile() {
  const root = mkdtempSync(join(tmpdir(), "handrail-patch-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const workspace = join(root, "workspace");
  mkdirSync(workspace);
  const env = { PATH: process.env["PATH"] ?? "" };
  const directory = join(root, "git");
  const isUntouched = () => false;
  const git = privateGit({ program: "git", workspace, directory, env, written: new WrittenFiles(), isUntouched });
  const tree = async () => {
    writeFileSync(join(workspace, "data"), randomBytes(MEBIBYTE));
    outputOf(await git.run(["add", "--all"]), "add");
    return outputOf(await git.run(["write-tree"]), "name")
      .toString()
      .trim();
  };
  const [start, now] = [await tree(), await tree()];
  const asked: string[] = [];
  const run: RunGit = async (args, options) => {
    asked.push(args[0] ?? "");
    return git.run(args, options);
  };
  const patch = (bounds: { readonly changedBytes: number; readonly patchBytes: number }) =>
    new PatchFile(join(root, "patch"), run, bounds);
  return { patch, asked, trees: { start, now, leftOut: undefined }, files: () => readdirSync(root) };
}

test("of changed files that are too large together no patch is written", async () => {
  const { patch, asked, trees } = await changedFile();
  const file = patch({ changedBytes: 2 * MEBIBYTE - 1, patchBytes: 100 * MEBIBYTE });
  await expect(file.write(trees)).rejects.toMatchObject({
    code: "file_too_large",
    message: expect.stringMatching(/^The changed files have 2 MiB together, before and after; /) as string,
    details: { size: 2 * MEBIBYTE },
  });
  expect(asked).toEqual(["diff-tree", "cat-file"]);
});

test("a patch that grows too large is none, and takes no room", async () => {
  const { patch, trees } = await changedFile();
  const file = patch({ changedBytes: 2 * MEBIBYTE, patchBytes: MEBIBYTE });
  await expect(file.write(trees)).rejects.toMatchObject({
    code: "file_too_large",
    message: expect.stringMatching(/^The patch is larger than 1 MiB\. /) as string,
  });
  expect(file.read(0, 10)).toEqual({ data: "", size: 0 });
});

test("a patch within the bounds is written", async () => {
  const { patch, trees } = await changedFile();
  const file = patch({ changedBytes: 2 * MEBIBYTE, patchBytes: 10 * MEBIBYTE });
  await file.write(trees);
  expect(Buffer.from(file.read(0, 27).data, "base64").toString()).toBe("diff --git a/data b/data\nin");
});
