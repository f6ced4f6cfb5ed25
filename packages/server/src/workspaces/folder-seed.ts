import { existsSync } from "node:fs";
import { lstat, rm } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import { realFolder } from "../folders.ts";
import { copyEntry, copyTree } from "./copy-tree.ts";
import { type SeedWork, WRITERS } from "./git-seed.ts";
import type { Git } from "./git.ts";

/** The folder's real path. @throws AppError `source_invalid` for one that may not be a source */
export async function checkFolder(path: string, home: string): Promise<string> {
  const folder = await realFolder(path);
  const forbidden =
    folder === "/" || folder === home || `${home}/`.startsWith(`${folder}/`) || folder.startsWith(`${home}/`);
  if (forbidden) {
    throw new AppError(
      "source_invalid",
      "That folder holds Handrail's own state or the whole machine. Choose another.",
    );
  }
  return folder;
}

/**
 * Copies a folder, which is only read. Of a git repository: what is committed, then what differs from that in files
 * that git tracks or would track. Ignored files stay behind; they are what builds and secrets leave lying around.
 * @throws AppError `source_invalid`, `source_too_large`, `git_failed`
 */
export async function copyFolder(git: Git, folder: string, work: SeedWork): Promise<void> {
  work.say(`Copying ${folder}`);
  const budget = { bytes: 0, entries: 0 };
  if (!existsSync(join(folder, ".git")) || !(await hasCommit(git, folder, work))) {
    await copyTree(folder, work.target, budget, work.signal);
    return;
  }
  const failure = `${folder} could not be copied.`;
  const { signal, target } = work;
  await git(["-c", WRITERS, "clone", "--no-local", "--no-hardlinks", "--template=", "--", folder, target], {
    cwd: target,
    signal,
    failure,
  });
  const changed = ["ls-files", "-z", "--modified", "--deleted", "--others", "--exclude-standard"];
  const staged = ["diff", "--cached", "--name-only", "--no-renames", "-z", "HEAD"];
  for (const args of [changed, staged]) {
    const { stdout } = await git(args, { cwd: folder, signal, failure });
    for (const path of splitNames(stdout)) await overlay(folder, target, path, budget);
  }
}

async function hasCommit(git: Git, folder: string, { signal }: SeedWork): Promise<boolean> {
  const { exitCode } = await git(["rev-parse", "--verify", "--quiet", "HEAD"], { cwd: folder, signal });
  return exitCode === 0;
}

/** Names as bytes in Latin-1 would be wrong and as UTF-8 could be lossy: such names are refused, not mangled. */
function splitNames(stdout: Buffer): readonly string[] {
  const text = stdout.toString("utf8");
  if (Buffer.from(text, "utf8").equals(stdout)) return [...new Set(text.split("\0"))].filter((name) => name !== "");
  throw new AppError("source_invalid", "A changed file's name is not UTF-8. Commit it first, then try again.");
}

async function overlay(folder: string, target: string, path: string, budget: { bytes: number; entries: number }) {
  const source = join(folder, path);
  await rm(join(target, path), { recursive: true, force: true });
  const found = await lstat(source).catch(() => undefined);
  if (found?.isDirectory() !== false) return;
  await copyEntry(source, join(target, path), budget);
}
