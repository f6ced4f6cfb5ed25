import { closeSync, constants, fchmodSync, openSync, unlinkSync, writeSync } from "node:fs";
import type { SnapshotFile } from "@handrail/protocol/snapshots";
import { modeOf, type FileStat } from "./file-stat.ts";
import type { Native } from "./native.ts";
import { systemPath } from "./open-inside.ts";

const FRESH = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Writes a file where nothing has its name, and says what it then is; undefined when something has. It is ours from
 * the first moment: all that is done to it is done through its descriptor, whatever becomes of its name. One that
 * cannot be written whole goes again.
 * @throws what `blob` throws, and when the system refuses
 */
export function writeFresh(
  full: string,
  { blobs, mode, mtime }: SnapshotFile,
  { native, blob }: { readonly native: Native; readonly blob: (name: string) => Uint8Array },
): FileStat | undefined {
  const path = systemPath(full);
  const file = created(path, mode);
  if (file === undefined) return undefined;
  try {
    for (const name of blobs) writeAll(file, blob(name));
    native.setOpenTime(file, BigInt(mtime));
    const stat = native.statOpen(file);
    if (modeOf(stat) === mode) return stat;
    fchmodSync(file, mode);
    return native.statOpen(file);
  } catch (thrown) {
    unlinkSync(path);
    throw thrown;
  } finally {
    closeSync(file);
  }
}

function created(path: string | Buffer, mode: number): number | undefined {
  try {
    return openSync(path, FRESH, mode & 0o777);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "EEXIST") return undefined;
    throw thrown;
  }
}

/** Writes all of the bytes where the file stands. */
export function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done, bytes.length - done);
}
