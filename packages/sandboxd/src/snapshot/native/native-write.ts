import { constants, openSync, writeSync } from "node:fs";
import { systemPath } from "./open-inside.ts";

/** Makes and fills files. */
export type MakeFiles = {
  /**
   * Makes a file in an open directory and opens it for writing; `name` has one character for each byte. Undefined when
   * something has the name. The caller closes it. @throws when the system refuses
   */
  createIn(directory: number, name: string, mode: number): number | undefined;
  /** Writes all of the bytes where the file stands. @throws when the system refuses */
  writeAll(file: number, bytes: Uint8Array): void;
};

/** openat(2) and write(2) of the C library. */
export type WriteCalls = {
  readonly openat: (directory: number, name: number, flags: number, mode: number) => number;
  readonly write: (file: number, bytes: Uint8Array, length: number) => number;
};

/** From fcntl.h, the same on all processors; Bun sets it too. */
const O_CLOEXEC = 0o2_000_000;
const FRESH = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** Flags of openat(2) for a file that is not there yet. */
export const FRESH_FILE = FRESH | O_CLOEXEC;
const MAX_NAME_BYTES = 255;

/** By the file module. */
export const PLAIN_WRITE: MakeFiles = {
  createIn(directory, name, mode) {
    try {
      return openSync(systemPath(`/proc/self/fd/${directory}/${name}`), FRESH, mode);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === "EEXIST") return undefined;
      throw thrown;
    }
  },
  writeAll,
};

/**
 * Without the path through /proc, which the kernel walks for each file. What the system refuses is asked for once more
 * by the file module, which says why.
 */
export function writeByCall({ openat, write }: WriteCalls, pointerTo: (bytes: ArrayBufferView) => number): MakeFiles {
  // Small arrays without a buffer of their own move when they get one.
  const text = Buffer.from(new ArrayBuffer(MAX_NAME_BYTES + 1));
  const textAt = pointerTo(text);
  return {
    createIn(directory, name, mode) {
      if (name.length <= MAX_NAME_BYTES) {
        text[text.write(name, "latin1")] = 0;
        const file = openat(directory, textAt, FRESH_FILE, mode);
        if (file >= 0) return file;
      }
      return PLAIN_WRITE.createIn(directory, name, mode);
    },
    writeAll(file, bytes) {
      if (bytes.length > 0) writeFrom(file, bytes, Math.max(0, write(file, bytes, bytes.length)));
    },
  };
}

/** Writes all of the bytes where the file stands, by the file module. @throws when the system refuses */
export function writeAll(file: number, bytes: Uint8Array): void {
  writeFrom(file, bytes, 0);
}

function writeFrom(file: number, bytes: Uint8Array, from: number): void {
  for (let done = from; done < bytes.length;) done += writeSync(file, bytes, done, bytes.length - done);
}
