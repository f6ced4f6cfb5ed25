import { execFileSync } from "node:child_process";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fileStat } from "../snapshot/native/file-stat.ts";
import { outputOf, privateGit } from "./private-git.ts";
import { WrittenFiles } from "./written-files.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "handrail-git-"));
  mkdirSync(join(root, "workspace"));
  writeFileSync(join(root, "workspace", "a.txt"), "a");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const gitBy = (program: string | undefined, written = new WrittenFiles()) =>
  privateGit({
    program,
    workspace: join(root, "workspace"),
    directory: join(root, "git"),
    env: { PATH: process.env["PATH"] ?? "" },
    written,
    isUntouched: () => true,
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

const OLD = new Date("2020-02-02T02:02:02Z");

/** Puts a new file in the place of one, with the same time. */
function writeAnew(path: string, content: string): void {
  writeFileSync(`${path}.new`, content);
  utimesSync(`${path}.new`, OLD, OLD);
  renameSync(`${path}.new`, path);
}

/** A repository whose index has `a.txt` and two more, then all written anew; `c` with other content. */
function restoredRepository(version: string): WrittenFiles {
  const workspace = join(root, "workspace");
  mkdirSync(join(workspace, "d"));
  for (const name of ["a.txt", "d/ü", "c"]) writeAnew(join(workspace, name), name);
  for (const args of [
    ["init", "-q"],
    ["update-index", "--index-version", version],
    ["add", "-A"],
  ])
    execFileSync("git", args, { cwd: workspace });
  const written = new WrittenFiles();
  const index = join(workspace, ".git", "index");
  written.add(".git/index", fileStat(lstatSync(index, { bigint: true })), [readFileSync(index)]);
  for (const [name, content] of [
    ["a.txt", "a.txt"],
    ["d/ü", "d/ü"],
    ["c", "other"],
  ] as const) {
    const path = join(workspace, name);
    writeAnew(path, content);
    const bytes = Buffer.from(name).toString("latin1");
    written.add(bytes, fileStat(lstatSync(path, { bigint: true })), [Buffer.from(content)]);
  }
  return written;
}

/** Files that git would have to read to know what they are. */
const unread = async (git: ReturnType<typeof gitBy>) =>
  outputOf(await git.run(["diff-files", "--name-only"]), "look")
    .toString()
    .split("\n")
    .slice(0, -1);

test("of files that were just restored git reads only those whose content is not what the user's index has", async () => {
  const git = gitBy("git", restoredRepository("2"));
  expect(await unread(git)).toEqual(["c"]);
  await git.run(["add", "--all"]);
  expect(outputOf(await git.run(["show", ":c"]), "show").toString()).toBe("other");
});

test("a user's index that we cannot read is git's own to read", async () => {
  const git = gitBy("git", restoredRepository("4"));
  expect(await unread(git)).toEqual(["a.txt", "c", "d/ü"]);
});
