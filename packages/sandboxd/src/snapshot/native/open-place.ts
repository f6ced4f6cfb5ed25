import { chmodSync, closeSync, constants, lstatSync, readdirSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { O_PATH, openInside } from "./open-inside.ts";

/** A directory that is worked in: `at` and the descriptor `file` name it whatever becomes of its path. */
export type OpenPlace = {
  readonly at: string;
  readonly file: number;
  /** Which directory it is. */
  readonly device: number;
  readonly inode: number;
  readonly close: () => void;
};

/**
 * Opens a directory to work in. Its owner may do all in it until its mode is set.
 * @throws when there is no such directory, or it is now reached through a link
 */
export function openPlace(path: string): OpenPlace {
  const file = openInside(path, O_PATH | constants.O_DIRECTORY);
  const at = `/proc/self/fd/${file}`;
  const { mode, dev: device, ino: inode } = lstatSync(`${at}/.`);
  if ((mode & 0o700) !== 0o700) chmodSync(at, (mode & 0o7777) | 0o700);
  return { at, file, device, inode, close: () => closeSync(file) };
}

/** One character for each byte. A directory that was removed while it is open has none. @throws when it cannot be read */
export function namesIn(at: string): string[] {
  try {
    return readdirSync(at, { encoding: "latin1" });
  } catch (thrown) {
    // Bun says so of one that was removed; Node, that it is empty.
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw thrown;
  }
}

/** The same, while other work goes on: for large directories. */
export async function namesBeside(at: string): Promise<string[]> {
  try {
    return await readdir(at, { encoding: "latin1" });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw thrown;
  }
}

/** Paths below the workspace have no slash at their start; that of the workspace is empty. */
export const pathIn = ({ path }: { readonly path: string }, name: string): string =>
  path === "" ? name : `${path}/${name}`;

export const fullPath = (workspace: string, path: string): string => (path === "" ? workspace : `${workspace}/${path}`);
