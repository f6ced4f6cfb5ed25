import { existsSync } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { AppError } from "@handrail/protocol/errors";

type Folder = { readonly name: string; readonly path: string; readonly git: boolean };
export type Folders = { path: string; parent: string | null; git: boolean; folders: Folder[] };

const MAX_FOLDERS = 2000;

/**
 * The folders inside one on the server's machine, by name, hidden ones last. Links are left out: what is shown is
 * where it says.
 * @throws AppError `source_invalid`
 */
export async function listFolders(asked: string | undefined): Promise<Folders> {
  const path = await realFolder(asked ?? homedir());
  const entries = await readdir(path, { withFileTypes: true }).catch((cause: unknown) => {
    throw new AppError("source_invalid", `${path} cannot be read.`, {}, { cause });
  });
  const folders = entries
    .filter((entry) => entry.isDirectory() && entry.name !== ".git")
    .map(({ name }) => name)
    .sort(byName)
    .slice(0, MAX_FOLDERS)
    .map((name) => ({ name, path: join(path, name), git: isRepository(join(path, name)) }));
  const parent = dirname(path);
  return { path, parent: parent === path ? null : parent, git: isRepository(path), folders };
}

/** The folder's own path, without links. @throws AppError `source_invalid` unless it is absolute, exists and is one */
export async function realFolder(path: string): Promise<string> {
  if (!isAbsolute(path) || path.includes("\0")) {
    throw new AppError("source_invalid", "Give the folder's whole path, starting with /.");
  }
  const real = await realpath(resolve(path)).catch(() => undefined);
  const found = real === undefined ? undefined : await stat(real).catch(() => undefined);
  if (real === undefined || found === undefined) throw new AppError("source_invalid", `There is no folder ${path}.`);
  if (!found.isDirectory()) throw new AppError("source_invalid", `${path} is not a folder.`);
  return real;
}

const isRepository = (path: string) => existsSync(join(path, ".git"));

function byName(left: string, right: string): number {
  const hidden = Number(left.startsWith(".")) - Number(right.startsWith("."));
  return hidden !== 0 ? hidden : left.localeCompare(right);
}
