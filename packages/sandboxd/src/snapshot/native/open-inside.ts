import { closeSync, constants, openSync, readlinkSync } from "node:fs";

/** Linux, fcntl.h: a file descriptor that names a place and needs no right to read it. */
export const O_PATH = 0o10_000_000;

/**
 * A path for the system, from text with one character for each byte. Text stays text where it can: that is faster.
 */
export function systemPath(bytes: string): string | Buffer {
  return /^[\x01-\x7f]*$/.test(bytes) ? bytes : Buffer.from(bytes, "latin1");
}

/**
 * Opens what is exactly at this path: no directory on the way, nor the file itself, may have become a link meanwhile.
 * The caller closes it.
 * @throws when there is no such file, or it is now reached through a link
 */
export function openInside(path: string, flags: number): number {
  const file = openSync(systemPath(path), flags | constants.O_NOFOLLOW);
  const real = readlinkSync(`/proc/self/fd/${file}`, { encoding: "buffer" }).toString("latin1");
  if (real === path) return file;
  closeSync(file);
  throw new Error("The path leads elsewhere now.");
}
