import { readFileSync, statfsSync } from "node:fs";

/** Source: linux/magic.h, EXT4_SUPER_MAGIC, BTRFS_SUPER_MAGIC */
const TYPE = { ext: 0xef53, btrfs: 0x9123_683e };
/** Others give space away before it is written, or say late that it is taken: there more is to stay free. */
const OTHERS_FACTOR = 4;
/** A file counts as so many bytes, since a file system can be out of files before it is out of space. */
export const FILE_BYTES = 32 * 1024;

export type SharedSpace = {
  /** What is to stay free. */
  readonly bytes: number;
  /** What is free now, on the one that has the least. */
  readonly free: () => number;
};

/** The space on the file systems that these directories are on. `bytes` are to stay free of one of which much is known. */
export function sharedSpace(places: readonly string[], bytes: number): SharedSpace {
  const isKnown = places.every((place) => statfsSync(place).type === TYPE.ext);
  return { bytes: isKnown ? bytes : bytes * OTHERS_FACTOR, free: () => Math.min(...places.map(freeAt)) };
}

/** Some say nothing of files, and some nothing at all. */
function freeAt(place: string): number {
  const { type, blocks, bavail, bsize, files, ffree } = statfsSync(place);
  if (blocks === 0) return Number.POSITIVE_INFINITY;
  const unsaid = type === TYPE.btrfs ? unwrittenBytes(readFileSync("/proc/meminfo", "utf8")) : 0;
  return Math.min(bavail * bsize - unsaid, files === 0 ? Number.POSITIVE_INFINITY : ffree * FILE_BYTES);
}

/** What of files is in memory alone, of the whole machine. Source: proc(5), of /proc/meminfo */
export function unwrittenBytes(meminfo: string): number {
  const lines = meminfo.matchAll(/^(?:Dirty|Writeback): +(\d+) kB$/gm);
  return [...lines].reduce((sum, [, kib]) => sum + Number(kib) * 1024, 0);
}
