import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { PrepareSeed, Seed } from "@handrail/core/ports/workspace-seed";
import { AppError } from "@handrail/protocol/errors";
import type { WorkspaceSource } from "@handrail/protocol/sources";
import { copyTree } from "./copy-tree.ts";
import { checkFolder, copyFolder } from "./folder-seed.ts";
import { checkBranchName, checkGitAddress } from "./git-address.ts";
import { cloneGit, type SeedWork } from "./git-seed.ts";
import type { Git } from "./git.ts";

export type SeedParts = {
  readonly git: Git;
  /** Where seeds are made; on the file system of the workspaces, so that a backend can move them. */
  readonly directory: string;
  readonly demoDirectory: string;
  /** The state directory: never a source. */
  readonly home: string;
  /** Whether folders and repositories of this machine may be sources. */
  readonly local: boolean;
};

/** Looks at a source before a conversation is made of it. @throws AppError `source_invalid` */
export async function checkSource({ home, local }: SeedParts, source: WorkspaceSource): Promise<void> {
  if (source.type === "folder") {
    if (!local) throw new AppError("source_invalid", "Folders of the server's machine are not allowed here.");
    await checkFolder(source.path, home);
  }
  if (source.type !== "git") return;
  checkGitAddress(source.url, local);
  if (source.branch !== undefined) checkBranchName(source.branch);
}

/** Makes the first files of workspaces. */
export function seedPreparer(parts: SeedParts): PrepareSeed {
  return async (source, say, signal) => {
    await checkSource(parts, source);
    const seed = await makeSeed(parts.directory);
    try {
      await fill(parts, source, { target: seed.directory, say, signal });
      return seed;
    } catch (thrown) {
      await seed.dispose();
      throw thrown;
    }
  };
}

/** A new empty seed below a directory. */
export async function makeSeed(parent: string): Promise<Seed> {
  const directory = join(parent, randomUUID());
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return { directory, dispose: () => rm(directory, { recursive: true, force: true }).catch(() => undefined) };
}

async function fill(parts: SeedParts, source: WorkspaceSource, work: SeedWork): Promise<void> {
  const { git } = parts;
  if (source.type === "git") return cloneGit(git, source, work, parts.local);
  if (source.type === "folder") return copyFolder(git, await checkFolder(source.path, parts.home), work);
  const { target, signal } = work;
  if (source.type === "demo") await copyTree(parts.demoDirectory, target, { bytes: 0, entries: 0 }, signal);
  const failure = "The workspace could not be made.";
  await git(["init", "--quiet", "--template=", "--initial-branch=main"], { cwd: target, signal, failure });
  if (source.type === "demo") await commitAll(git, target, signal);
}

async function commitAll(git: Git, cwd: string, signal: AbortSignal): Promise<void> {
  const failure = "The demo could not be made.";
  const author = ["-c", "user.name=Handrail", "-c", "user.email=handrail@localhost", "-c", "commit.gpgSign=false"];
  await git(["add", "--all"], { cwd, signal, failure });
  await git([...author, "commit", "--quiet", "--message", "The demo as it comes"], { cwd, signal, failure });
}
