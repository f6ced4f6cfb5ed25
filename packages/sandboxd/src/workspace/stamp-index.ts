import { isLink, numbersOf, type FileStat } from "../snapshot/file-stat.ts";
import { AT, BLOB_BYTES, entriesOf, entryCount, plainMode, sealIndex } from "./git-index.ts";
import type { WrittenFile } from "./written-files.ts";

/**
 * Writes into a git index what the system says of files whose content is what the index has of them, so that git need
 * not read them. Others stay as they are. Whether all of the index is these files, and all of them are in it.
 */
export function stampIndex(index: Buffer, files: ReadonlyMap<string, WrittenFile>): boolean {
  let [stamped, same] = [0, 0];
  for (const entry of entriesOf(index)) {
    const { at, path } = entry;
    const found = files.get(path);
    if (found === undefined) continue;
    const blobAt = at + AT.blob;
    if (index.compare(found.blob, 0, BLOB_BYTES, blobAt, blobAt + BLOB_BYTES) !== 0) continue;
    stamp(index, at, found.stat);
    stamped += 1;
    if (plainMode(index, entry) === gitMode(found.stat)) same += 1;
  }
  if (stamped > 0) sealIndex(index);
  return same > 0 && same === files.size && same === entryCount(index);
}

/** Git knows links, and of a file's permissions whether its owner may run it. */
function gitMode(stat: FileStat): number {
  if (isLink(stat)) return 0o120000;
  return (stat.mode & 0o100) === 0 ? 0o100644 : 0o100755;
}

function stamp(index: Buffer, at: number, stat: FileStat): void {
  const write = (value: number, offset: number) => index.writeUInt32BE(value, at + offset);
  const { changed, modified, inode } = numbersOf(stat);
  write(changed.seconds >>> 0, AT.ctime);
  write(changed.nanoseconds, AT.ctime + 4);
  write(modified.seconds >>> 0, AT.mtime);
  write(modified.nanoseconds, AT.mtime + 4);
  write(stat.device, AT.dev);
  write(inode, AT.ino);
  write(stat.uid, AT.uid);
  write(stat.gid, AT.gid);
  write(stat.size % 2 ** 32, AT.size);
}
