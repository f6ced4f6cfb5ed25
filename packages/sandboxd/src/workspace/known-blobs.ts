import { timeOf, type Time } from "../snapshot/file-stat.ts";
import { AT, BLOB_BYTES, entriesOf } from "./git-index.ts";

/** What an index calls a file's content, 20 bytes, when its size and time say that it is still that. */
export type KnownBlobs = (
  path: string,
  stat: { readonly size: number; readonly modified: Time },
) => Uint8Array | undefined;

/**
 * Reads an index that was written at `writtenNs`. Git believes size and time in the same way, and as it does, this
 * believes nothing of a file that is not older than the index: it could have changed since within a step of the clock.
 * Where one of two times has whole seconds only, as file systems without finer ones keep, whole seconds are compared.
 * Source: git's Documentation/technical/racy-git.txt
 */
export function blobsOf(index: Buffer, writtenNs: bigint): KnownBlobs {
  const written = timeOf(writtenNs);
  const entries = new Map<string, number>();
  for (const { at, path } of entriesOf(index)) entries.set(path, at);
  return (path, { size, modified }) => {
    const at = entries.get(path);
    // The size of an entry that git must compare is written as 0.
    if (at === undefined || size === 0 || index.readUInt32BE(at + AT.size) !== size) return undefined;
    const seconds = index.readUInt32BE(at + AT.mtime);
    const nanoseconds = index.readUInt32BE(at + AT.mtime + 4);
    if (compareTimes({ seconds, nanoseconds }, modified) !== 0 || compareTimes(modified, written) >= 0)
      return undefined;
    return index.subarray(at + AT.blob, at + AT.blob + BLOB_BYTES);
  };
}

function compareTimes(one: Time, other: Time): number {
  if (one.seconds !== other.seconds || one.nanoseconds === 0 || other.nanoseconds === 0)
    return one.seconds - other.seconds;
  return one.nanoseconds - other.nanoseconds;
}
