import { closeSync, fchmodSync, unlinkSync } from "node:fs";
import { modeOf, type FileStat } from "../native/file-stat.ts";
import type { Native } from "../native/native.ts";
import { systemPath } from "../native/open-inside.ts";

/** A name, one character for each byte, in an open directory. */
export type Spot = { readonly directory: number; readonly name: string };

/** Mode and time as snapshots have them. */
export type FreshFile = { readonly mode: number; readonly mtime: string; readonly pieces: Iterable<Uint8Array> };

/**
 * Writes a file where nothing has its name, and says what it then is; undefined when something has. It is ours from
 * the first moment: all that is done to it is done through its descriptor, whatever becomes of its name. One that
 * cannot be written whole goes again.
 * @throws what `pieces` throws, and when the system refuses
 */
export function writeFresh(
  { directory, name }: Spot,
  { mode, mtime, pieces }: FreshFile,
  native: Native,
): FileStat | undefined {
  const file = native.createIn(directory, name, mode & 0o777);
  if (file === undefined) return undefined;
  try {
    for (const piece of pieces) native.writeAll(file, piece);
    native.setOpenTime(file, BigInt(mtime));
    const stat = native.statOpen(file);
    if (modeOf(stat) === mode) return stat;
    fchmodSync(file, mode);
    return native.statOpen(file);
  } catch (thrown) {
    unlinkSync(systemPath(`/proc/self/fd/${directory}/${name}`));
    throw thrown;
  } finally {
    closeSync(file);
  }
}
