import { closeSync, fdatasync, fdatasyncSync, openSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { type SpoolLine, spoolText } from "./spool-lines.ts";

/** What has the disk hold a file: `sync` tells when it is done, `syncNow` returns then. */
export type Disk = {
  readonly sync: (file: number, done: (error: Error | null) => void) => void;
  readonly syncNow: (file: number) => void;
};

export const systemDisk: Disk = { sync: fdatasync, syncNow: fdatasyncSync };

const LONG_BYTES = 1024 * 1024;
/** Nothing goes out any more when the file is so long: logs cannot be written, and it could not be made shorter. */
const MAX_BYTES = 64 * 1024 * 1024;

/** A file that lines are written to, one after the other. */
export type LineFile = {
  readonly isLong: boolean;
  /** False when it could not be written whole. */
  append(line: SpoolLine): boolean;
  /** Leaves the file as it is when the new one cannot be written. */
  replace(lines: readonly SpoolLine[]): void;
  /** Has the disk hold what was written until now, unless it is at that. Nothing waits for it. */
  sync(): void;
  /** The disk holds all then. */
  close(): void;
};

/** `length` is how many bytes are there. @throws when the file cannot be opened */
export function lineFile(path: string, length: number, disk: Disk): LineFile {
  let file = openSync(path, "a", 0o600);
  const syncing = syncsOf(disk);
  let bytes = length;
  let longFrom = 2 * length + LONG_BYTES;
  /** A line was written in part: the next one must not be taken for its rest. */
  let torn = false;
  return {
    get isLong() {
      return bytes >= longFrom;
    },
    append(line) {
      if (bytes >= MAX_BYTES) return false;
      const text = Buffer.from(`${torn ? "\n" : ""}${spoolText([line])}`);
      const done = writeOrNothing(file, text);
      syncing.changed();
      bytes += done;
      torn = done === 0 ? torn : done < text.length;
      return done === text.length;
    },
    replace(lines) {
      const text = spoolText(lines);
      // A replacement that fails is not tried again at each request.
      longFrom = 2 * bytes + LONG_BYTES;
      try {
        writeFileSync(`${path}.new`, text, { mode: 0o600 });
        const fresh = openSync(`${path}.new`, "a");
        syncedOrClosed(fresh, disk);
        renameSync(`${path}.new`, path);
        syncing.close(file);
        file = fresh;
      } catch {
        return;
      }
      bytes = Buffer.byteLength(text);
      longFrom = 2 * bytes + LONG_BYTES;
      torn = false;
    },
    sync: () => syncing.start(file),
    close() {
      syncing.finish(file);
      syncing.close(file);
    },
  };
}

/** @throws when the disk does not take it */
function syncedOrClosed(file: number, { syncNow }: Disk): void {
  try {
    syncNow(file);
  } catch (thrown) {
    closeSync(file);
    throw thrown;
  }
}

/** One at a time, only when something has changed, and no file is closed while the disk is at it. */
function syncsOf({ sync, syncNow }: Disk) {
  let isChanged = false;
  let underWay: number | undefined;
  const closing = new Set<number>();
  const done = (file: number, error: Error | null) => {
    underWay = undefined;
    isChanged ||= error !== null;
    if (closing.delete(file)) closeSync(file);
  };
  return {
    changed() {
      isChanged = true;
    },
    start(file: number) {
      if (!isChanged || underWay !== undefined) return;
      isChanged = false;
      underWay = file;
      sync(file, (error) => done(file, error));
    },
    finish(file: number) {
      if (!isChanged && underWay === undefined) return;
      try {
        syncNow(file);
      } catch {
        // Whoever ends can do no more about it.
      }
    },
    close(file: number) {
      if (underWay === file) closing.add(file);
      else closeSync(file);
    },
  };
}

/** How many bytes were written: fewer than there are when the disk is full. */
function writeOrNothing(file: number, text: Uint8Array): number {
  try {
    return writeSync(file, text);
  } catch {
    return 0;
  }
}
