import type { FileStat } from "./file-stat.ts";
import type { FreshFile } from "./fresh-file.ts";
import type { SnapshotFile } from "@handrail/protocol/snapshots";

/** A file to be written where nothing has its name; the name has one character for each byte. */
export type NewFile = { readonly name: string; readonly entry: SnapshotFile; readonly pieces: readonly Uint8Array[] };

/**
 * Files for one open directory, as they go to another thread: in few values, since each costs time on its way. `names`
 * and `mtimes` have a slash between two; `numbers` has mode and bytes of each; `content` one file after another.
 */
export type WriteJob = {
  readonly id: number;
  readonly directory: number;
  readonly names: string;
  readonly mtimes: string;
  readonly numbers: Uint32Array<ArrayBuffer>;
  readonly content: Uint8Array<ArrayBuffer>;
};

/** `stats` has what each file then is, in `STAT_NUMBERS` numbers. */
export type WriteReply = { readonly id: number; readonly stats: BigInt64Array<ArrayBuffer> };

export const STAT_NUMBERS = 9;
/** In the place of the mode: the file was not written. */
const NOT_WRITTEN = -1n;

export function writeJob(id: number, directory: number, files: readonly NewFile[]): WriteJob {
  const numbers = new Uint32Array(files.length * 2);
  for (const [index, { entry, pieces }] of files.entries()) {
    numbers[index * 2] = entry.mode;
    numbers[index * 2 + 1] = pieces.reduce((sum, { length }) => sum + length, 0);
  }
  return {
    id,
    directory,
    names: files.map(({ name }) => name).join("/"),
    mtimes: files.map(({ entry }) => entry.mtime).join("/"),
    numbers,
    content: joined(files.flatMap(({ pieces }) => pieces)),
  };
}

/** The files of a job. */
export function* filesIn({ names, mtimes, numbers, content }: WriteJob): Generator<{ name: string; file: FreshFile }> {
  const times = mtimes.split("/");
  let at = 0;
  for (const [index, name] of names.split("/").entries()) {
    const [mode = 0, bytes = 0] = numbers.subarray(index * 2);
    const pieces = [content.subarray(at, (at += bytes))];
    yield { name, file: { mode, mtime: times[index] ?? "0", pieces } };
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const content = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    content.set(piece, at);
    at += piece.length;
  }
  return content;
}

export function encodeStat(stats: BigInt64Array, index: number, stat: FileStat | undefined): void {
  const at = index * STAT_NUMBERS;
  if (stat === undefined) {
    stats[at] = NOT_WRITTEN;
    return;
  }
  const { mode, links, uid, gid, device, inode, size, changedNs, modifiedNs } = stat;
  for (const [offset, value] of [mode, links, uid, gid, device, size].entries()) stats[at + offset] = BigInt(value);
  stats[at + 6] = inode;
  stats[at + 7] = changedNs;
  stats[at + 8] = modifiedNs;
}

export function decodeStat(stats: BigInt64Array, index: number): FileStat | undefined {
  const at = index * STAT_NUMBERS;
  if (stats[at] === NOT_WRITTEN) return undefined;
  const number = (offset: number) => Number(stats[at + offset]);
  return {
    mode: number(0),
    links: number(1),
    uid: number(2),
    gid: number(3),
    device: number(4),
    size: number(5),
    inode: BigInt.asUintN(64, stats[at + 6] ?? 0n),
    changedNs: stats[at + 7] ?? 0n,
    modifiedNs: stats[at + 8] ?? 0n,
  };
}
