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

/** What each file then is: six numbers and three larger ones. */
export type Stats = { readonly numbers: Float64Array<ArrayBuffer>; readonly large: BigInt64Array<ArrayBuffer> };
export type WriteReply = { readonly id: number; readonly stats: Stats };

const [NUMBERS, LARGE] = [6, 3];
/** In the place of the mode: the file was not written. */
const NOT_WRITTEN = -1;

export const emptyStats = (files: number): Stats => ({
  numbers: new Float64Array(files * NUMBERS),
  large: new BigInt64Array(files * LARGE),
});

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

export function encodeStat({ numbers, large }: Stats, index: number, stat: FileStat | undefined): void {
  const [at, largeAt] = [index * NUMBERS, index * LARGE];
  if (stat === undefined) {
    numbers[at] = NOT_WRITTEN;
    return;
  }
  numbers[at] = stat.mode;
  numbers[at + 1] = stat.links;
  numbers[at + 2] = stat.uid;
  numbers[at + 3] = stat.gid;
  numbers[at + 4] = stat.device;
  numbers[at + 5] = stat.size;
  large[largeAt] = stat.inode;
  large[largeAt + 1] = stat.changedNs;
  large[largeAt + 2] = stat.modifiedNs;
}

export function decodeStat({ numbers, large }: Stats, index: number): FileStat | undefined {
  const [at, largeAt] = [index * NUMBERS, index * LARGE];
  const number = (offset: number) => numbers[at + offset] ?? 0;
  if (number(0) === NOT_WRITTEN) return undefined;
  return {
    mode: number(0),
    links: number(1),
    uid: number(2),
    gid: number(3),
    device: number(4),
    size: number(5),
    inode: BigInt.asUintN(64, large[largeAt] ?? 0n),
    changedNs: large[largeAt + 1] ?? 0n,
    modifiedNs: large[largeAt + 2] ?? 0n,
  };
}
