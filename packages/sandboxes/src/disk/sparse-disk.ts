import { execFile } from "node:child_process";
import { closeSync, ftruncateSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { AppError } from "@handrail/protocol/errors";
import { inOwnTemporary } from "../own-temporary.ts";
import { runProgram } from "../run-program.ts";
import { makeDisk } from "./workspace-disk.ts";

/** What of a file that is nearly all holes is in it is read by GNU tar, which asks the system where the holes are. */
const TAR = ["--create", "--format=posix", "--sparse", "--sparse-version=1.0"];
const BLOCK_BYTES = 512;
const MOST_BYTES = 64 * 1024 ** 2;

/** Whether this machine can make file systems. */
export async function canMakeDisks(): Promise<boolean> {
  return (await runProgram("mke2fs", ["-V"])).code === 0;
}

/** A file that is nearly all holes. `extents`: where something is and how long it is; `data`: these, one after the other. */
export type SparseFile = {
  readonly bytes: number;
  readonly extents: readonly (readonly [at: number, length: number])[];
  readonly data: Buffer;
};

/** Where in `data` a place of the file is; undefined: in a hole. */
export function placeIn({ extents }: SparseFile, at: number): number | undefined {
  let from = 0;
  for (const [start, length] of extents) {
    if (at >= start && at < start + length) return from + at - start;
    from += length;
  }
  return undefined;
}

/**
 * Writes the file whole or not at all, with `data` in place of its own. Synchronous: some kilobytes, into memory.
 * @throws Error of Node's file system
 */
export function writeSparse(path: string, { bytes, extents }: SparseFile, data: Buffer): void {
  const unfinished = `${path}.part`;
  rmSync(unfinished, { force: true });
  const file = openSync(unfinished, "wx", 0o600);
  try {
    ftruncateSync(file, bytes);
    let from = 0;
    for (const [at, length] of extents) {
      for (let done = 0; done < length;) done += writeSync(file, data, from + done, length - done, at + done);
      from += length;
    }
  } catch (thrown) {
    rmSync(unfinished, { force: true });
    throw thrown;
  } finally {
    closeSync(file);
  }
  renameSync(unfinished, path);
}

/** A file system of this size with these empty directories, each after the one that it is in. @throws AppError `sandbox_failed` */
export async function sparseDisk(bytes: number, directories: readonly EmptyDirectory[]): Promise<SparseFile> {
  return inOwnTemporary(async (directory) => {
    const content = join(directory, "content");
    await mkdir(content);
    for (const { path, mode } of directories) await mkdir(join(content, path), { mode });
    await makeDisk(join(directory, "image"), content, bytes);
    const options = { encoding: "buffer", maxBuffer: MOST_BYTES, env: { LC_ALL: "C" } } as const;
    const { stdout } = await promisify(execFile)("tar", [...TAR, `--directory=${directory}`, "image"], options);
    return readSparse(stdout, bytes);
  });
}

export type EmptyDirectory = { readonly path: string; readonly mode: number };

/**
 * An archive of one file with holes, in the format 1.0 of GNU tar: attributes, then a file that begins with a list of
 * decimal numbers, one a line, filled up to a whole block: how many extents, where each is and how long, and then their
 * bytes. Source: https://www.gnu.org/software/tar/manual/html_node/PAX-1.html
 */
function readSparse(archive: Buffer, bytes: number): SparseFile {
  const content = fileIn(archive);
  const words = content.toString("latin1", 0, content.indexOf("\0")).split("\n");
  const [count = 0, ...numbers] = words.slice(0, 1 + 2 * Number(words[0])).map(Number);
  const listBytes = words.slice(0, 1 + 2 * count).reduce((sum, word) => sum + word.length + 1, 0);
  const extents = Array.from({ length: count }, (_, index): [number, number] => [
    numbers[2 * index] ?? 0,
    numbers[2 * index + 1] ?? 0,
  ]).filter(([, length]) => length > 0);
  const data = content.subarray(Math.ceil(listBytes / BLOCK_BYTES) * BLOCK_BYTES);
  return { bytes, extents, data };
}

/** The content of the first regular file. @throws AppError `sandbox_failed` */
function fileIn(archive: Buffer): Buffer {
  for (let at = 0; at + BLOCK_BYTES <= archive.length;) {
    const size = Number.parseInt(archive.toString("latin1", at + 124, at + 135), 8);
    const content = at + BLOCK_BYTES;
    if (archive.toString("latin1", at + 156, at + 157) === "0") return archive.subarray(content, content + size);
    at = content + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
  }
  throw new AppError("sandbox_failed", "The workspace's disk could not be read: tar is not GNU tar.");
}
