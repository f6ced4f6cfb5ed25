import { createHash } from "node:crypto";
import type { FileStat } from "../snapshot/file-stat.ts";
import type { WrittenFile } from "./written-files.ts";

const SECOND = 1_000_000_000n;
const HEADER_BYTES = 12;
const SUM_BYTES = 20;
/** Offsets within an entry. */
const AT = { ctime: 0, mtime: 8, dev: 16, ino: 20, uid: 28, gid: 32, size: 36, blob: 40, flags: 60, name: 62 } as const;
const EXTENDED = 0x4000;
const STAGE = 0x3000;

/**
 * Writes into a git index what the system says of files whose content is what the index has of them, so that git need
 * not read them. Others stay as they are, and so does an index that is not of version 2 or 3 with names of SHA-1, or is
 * damaged.
 * Source: gitformat-index(5)
 */
export function stampIndex(index: Buffer, files: ReadonlyMap<string, WrittenFile>): void {
  const end = index.length - SUM_BYTES;
  if (!isReadable(index, end)) return;
  for (const { at, path } of entriesIn(index, end)) {
    const found = files.get(path);
    if (found === undefined) continue;
    if (index.compare(found.blob, 0, SUM_BYTES, at + AT.blob, at + AT.blob + SUM_BYTES) === 0) {
      stamp(index, at, found.stat);
    }
  }
  sumOf(index, end).copy(index, end);
}

function isReadable(index: Buffer, end: number): boolean {
  if (end < HEADER_BYTES || index.toString("latin1", 0, 4) !== "DIRC") return false;
  return [2, 3].includes(index.readUInt32BE(4)) && sumOf(index, end).equals(index.subarray(end));
}

/** Paths with one character for each byte, and where their entries are; those of files that are in conflict are left out. */
function* entriesIn(index: Buffer, end: number): Generator<{ readonly at: number; readonly path: string }> {
  let at = HEADER_BYTES;
  for (let left = index.readUInt32BE(8); left > 0 && at + AT.name < end; left--) {
    const flags = index.readUInt16BE(at + AT.flags);
    const nameAt = at + AT.name + ((flags & EXTENDED) === 0 ? 0 : 2);
    const nameEnd = index.indexOf(0, nameAt);
    if (nameEnd < 0) return;
    if ((flags & STAGE) === 0) yield { at, path: index.toString("latin1", nameAt, nameEnd) };
    // Filled up with at least one zero to a multiple of eight.
    at += (nameEnd - at + 8) & ~7;
  }
}

const sumOf = (index: Buffer, end: number) => createHash("sha1").update(index.subarray(0, end)).digest();

function stamp(index: Buffer, at: number, stat: FileStat): void {
  const write = (value: number, offset: number) => index.writeUInt32BE(value, at + offset);
  write(low(stat.changedNs / SECOND), AT.ctime);
  write(low(stat.changedNs % SECOND), AT.ctime + 4);
  write(low(stat.modifiedNs / SECOND), AT.mtime);
  write(low(stat.modifiedNs % SECOND), AT.mtime + 4);
  write(stat.device, AT.dev);
  write(low(stat.inode), AT.ino);
  write(stat.uid, AT.uid);
  write(stat.gid, AT.gid);
  write(stat.size % 2 ** 32, AT.size);
}

const low = (value: bigint) => Number(BigInt.asUintN(32, value));
