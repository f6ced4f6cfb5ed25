import { closeSync, constants, fstatSync, readlinkSync, readSync } from "node:fs";
import { MAX_BLOB_BYTES, textOfBytes, type LeftOutReason, type SnapshotEntry } from "@handrail/protocol/snapshots";
import { isLink, isPipe, modeOf, type FileStat } from "../native/file-stat.ts";
import type { ObjectWriter } from "../objects/object-writer.ts";
import { openInside, systemPath } from "../native/open-inside.ts";

/** https://bford.info/cachedir/ */
const CACHE_SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55";
export const CACHE_TAG = "CACHEDIR.TAG";

/** A regular file with its pieces, as it is now. @throws when it went, or cannot be read */
export function readFileEntry(
  path: string,
  name: string,
  stat: FileStat,
  objects: Pick<ObjectWriter, "add">,
): SnapshotEntry {
  const file = openInside(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const now = fstatSync(file, { bigint: true });
    if (!now.isFile() || now.ino !== stat.inode) throw new Error("The file is another one now.");
    const size = Number(now.size);
    const blobs: string[] = [];
    let read = 0;
    while (read < size) {
      const piece = readPiece(file, read, Math.min(MAX_BLOB_BYTES, size - read));
      if (piece.length > 0) blobs.push(objects.add("blob", piece));
      read += piece.length;
      if (piece.length < MAX_BLOB_BYTES) break;
    }
    return {
      type: "file",
      name: textOfBytes(name),
      mode: modeOf(stat),
      mtime: String(stat.modifiedNs),
      size: read,
      blobs,
    };
  } finally {
    closeSync(file);
  }
}

/** Fewer bytes only where the file ends. */
function readPiece(file: number, from: number, length: number): Buffer {
  const piece = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const got = readSync(file, piece, done, length - done, from + done);
    if (got === 0) break;
    done += got;
  }
  return piece.subarray(0, done);
}

/** What is neither a file nor a directory. Sockets and devices mean nothing elsewhere. */
export function specialEntry(path: string, name: string, stat: FileStat): SnapshotEntry {
  const text = textOfBytes(name);
  const mtime = String(stat.modifiedNs);
  if (isPipe(stat)) return { type: "pipe", name: text, mode: modeOf(stat), mtime };
  if (!isLink(stat)) return leftOutEntry(name, "special");
  const target = readlinkSync(systemPath(path), { encoding: "buffer" }).toString("latin1");
  return { type: "link", name: text, mtime, target: textOfBytes(target) };
}

export function leftOutEntry(name: string, reason: LeftOutReason, bytes = 0): SnapshotEntry {
  return { type: "left-out", name: textOfBytes(name), reason, bytes };
}

/** Whether a directory says of itself that its content can be made again. */
export function isCache(path: string): boolean {
  try {
    const file = openInside(`${path}/${CACHE_TAG}`, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return readPiece(file, 0, CACHE_SIGNATURE.length).toString("latin1") === CACHE_SIGNATURE;
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}
