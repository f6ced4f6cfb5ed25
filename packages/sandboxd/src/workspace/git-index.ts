import { createHash } from "node:crypto";

const HEADER_BYTES = 12;
const SUM_BYTES = 20;
/** Offsets within an entry. */
export const AT = {
  ctime: 0,
  mtime: 8,
  dev: 16,
  ino: 20,
  mode: 24,
  uid: 28,
  gid: 32,
  size: 36,
  blob: 40,
  flags: 60,
  name: 62,
} as const;
/** Of the name of a blob. */
export const BLOB_BYTES = 20;
const TYPE = 0xf000;
const OTHER_REPOSITORY = 0xe000;
const EXTENDED = 0x4000;
const STAGE = 0x3000;

/** An entry's place in the index; its path has one character for each byte. */
type TakeEntry = (at: number, path: string) => void;

/**
 * Gives the entries of a git index, those of files that are in conflict left out; none of an index that is not of version
 * 2 or 3 with names of SHA-1, or is damaged.
 * Source: gitformat-index(5)
 */
export function eachEntry(index: Buffer, take: TakeEntry): void {
  const end = index.length - SUM_BYTES;
  if (!isReadable(index, end)) return;
  let at = HEADER_BYTES;
  for (let left = entryCount(index); left > 0 && at + AT.name < end; left--) {
    const flags = index.readUInt16BE(at + AT.flags);
    const nameAt = at + AT.name + ((flags & EXTENDED) === 0 ? 0 : 2);
    const nameEnd = index.indexOf(0, nameAt);
    if (nameEnd < 0) return;
    if ((flags & STAGE) === 0) take(at, index.toString("latin1", nameAt, nameEnd));
    // Filled up with at least one zero to a multiple of eight.
    at += (nameEnd - at + 8) & ~7;
  }
}

/** Those in conflict too. */
export const entryCount = (index: Buffer): number => index.readUInt32BE(8);

/** Of an entry that has no more to say than its stat data: it is not, say, one that is only meant to be added. */
export function plainMode(index: Buffer, at: number): number | undefined {
  return (index.readUInt16BE(at + AT.flags) & EXTENDED) === 0 ? index.readUInt32BE(at + AT.mode) : undefined;
}

/** How many files an index has, other repositories left out, and their bytes. */
export type Sizes = { readonly files: number; readonly bytes: number };

/** Undefined of an index that has no entries. */
export function sizesIn(index: Buffer): Sizes | undefined {
  let [entries, files, bytes] = [0, 0, 0];
  eachEntry(index, (at) => {
    entries += 1;
    if ((index.readUInt32BE(at + AT.mode) & TYPE) === OTHER_REPOSITORY) return;
    files += 1;
    bytes += index.readUInt32BE(at + AT.size);
  });
  return entries === 0 ? undefined : { files, bytes };
}

/** Makes the sum at the end fit again after a change. */
export function sealIndex(index: Buffer): void {
  const end = index.length - SUM_BYTES;
  sumOf(index, end).copy(index, end);
}

function isReadable(index: Buffer, end: number): boolean {
  if (end < HEADER_BYTES || index.toString("latin1", 0, 4) !== "DIRC") return false;
  return [2, 3].includes(index.readUInt32BE(4)) && sumOf(index, end).equals(index.subarray(end));
}

const sumOf = (index: Buffer, end: number) => createHash("sha1").update(index.subarray(0, end)).digest();
