import type { FileStat } from "../snapshot/file-stat.ts";
import { AT, BLOB_BYTES, entriesOf } from "./git-index.ts";

/** What an index calls a file's content, 20 bytes, when its size and time say that it is still that. */
export type KnownBlobs = (path: string, stat: Pick<FileStat, "size" | "modifiedNs">) => Uint8Array | undefined;

const SECOND = 1_000_000_000n;

/**
 * Reads an index that was written at `writtenNs`. Git believes size and time in the same way, and as it does, this
 * believes nothing of a file that is not older than the index: it could have changed since within a step of the clock.
 * Where one of two times has whole seconds only, as file systems without finer ones keep, whole seconds are compared.
 * Source: git's Documentation/technical/racy-git.txt
 */
export function blobsOf(index: Buffer, writtenNs: bigint): KnownBlobs {
  const entries = new Map<string, number>();
  for (const { at, path } of entriesOf(index)) entries.set(path, at);
  return (path, { size, modifiedNs }) => {
    const at = entries.get(path);
    // The size of an entry that git must compare is written as 0.
    if (at === undefined || size === 0 || index.readUInt32BE(at + AT.size) !== size) return undefined;
    const knownNs = BigInt(index.readUInt32BE(at + AT.mtime)) * SECOND + BigInt(index.readUInt32BE(at + AT.mtime + 4));
    const isSame = knownNs === modifiedNs || compareTimes(knownNs, modifiedNs) === 0;
    // Of times that are further apart than a second nothing needs to be rounded.
    const isOlder = modifiedNs < writtenNs - SECOND || compareTimes(modifiedNs, writtenNs) < 0;
    if (!isSame || !isOlder) return undefined;
    return index.subarray(at + AT.blob, at + AT.blob + BLOB_BYTES);
  };
}

function compareTimes(one: bigint, other: bigint): number {
  const whole = one % SECOND === 0n || other % SECOND === 0n;
  const difference = whole ? one / SECOND - other / SECOND : one - other;
  return Math.sign(Number(difference));
}
