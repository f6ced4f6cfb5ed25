import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { outputOf, privateGit } from "./private-git.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "handrail-git-"));
  mkdirSync(join(root, "workspace"));
  writeFileSync(join(root, "workspace", "a.txt"), "a");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const gitBy = (program: string | undefined) =>
  privateGit({
    program,
    workspace: join(root, "workspace"),
    directory: join(root, "git"),
    env: { PATH: process.env["PATH"] ?? "" },
  });

test("what a kill left half made stands in nobody's way, and git finds nothing wrong with what is made", async () => {
  mkdirSync(join(root, "git.new", "objects"), { recursive: true });
  writeFileSync(join(root, "git.new", "HEAD"), "ref: re");
  const { run } = gitBy("git");
  await run(["add", "--all"]);
  expect(outputOf(await run(["ls-files"]), "list").toString()).toBe("a.txt\n");
  expect(await run(["fsck", "--strict"])).toMatchObject({ exitCode: 0 });
});

test("an image without git is told from a repository that cannot be made", async () => {
  await expect(gitBy(undefined).ready()).rejects.toMatchObject({ code: "git_missing" });
});
