import { existsSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import type { WorkspaceSource } from "@handrail/protocol/sources";
import { UsageError } from "./exit-codes.ts";

/**
 * The workspace's source that `--repo` and `--branch` name: a folder, a git URL, `demo` or `empty`; without `--repo`
 * the git repository that `cwd` is in. A folder with a branch is cloned. @throws UsageError
 */
export function findSource(repo: string | undefined, branch: string | undefined, cwd: string): WorkspaceSource {
  if (repo === undefined) return folderSource(enclosingRepository(cwd), branch);
  if (isUrl(repo)) return gitSource(repo, branch);
  if (repo === "demo" || repo === "empty") return plainSource(repo, branch);
  const folder = path.resolve(cwd, repo);
  if (!existsSync(folder)) throw new UsageError(`There is no folder ${folder}. Give --repo a folder or a git URL.`);
  if (!statSync(folder).isDirectory()) throw new UsageError(`${folder} is a file. Give --repo a folder or a git URL.`);
  return folderSource(folder, branch);
}

/** `scheme://…`, or git's short form `user@host:path` (gitrevisions of `git clone`, "GIT URLS"). */
const isUrl = (repo: string) => /^[a-z][a-z0-9+.-]*:\/\//i.test(repo) || /^[\w.-]+@[\w.-]+:/.test(repo);

function plainSource(type: "demo" | "empty", branch: string | undefined): WorkspaceSource {
  if (branch !== undefined) throw new UsageError(`--branch has no meaning with --repo ${type}.`);
  return { type };
}

function folderSource(folder: string, branch: string | undefined): WorkspaceSource {
  const real = realpathSync(folder);
  return branch === undefined ? { type: "folder", path: real } : gitSource(real, branch);
}

function gitSource(url: string, branch: string | undefined): WorkspaceSource {
  return branch === undefined ? { type: "git", url } : { type: "git", url, branch };
}

function enclosingRepository(cwd: string): string {
  for (let folder = cwd; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, ".git"))) return folder;
    if (folder === path.dirname(folder)) break;
  }
  throw new UsageError("This folder is not in a git repository. Say what to work on with --repo DIR or --repo URL.");
}
