import { execFileSync } from "node:child_process";
import { futimesSync, lutimesSync } from "node:fs";
import { cLibrary } from "../../c-library.ts";
import { PLAIN_STAT, statByCall, type StatFiles } from "./native-stat.ts";
import { PLAIN_WRITE, writeByCall, type MakeFiles } from "./native-write.ts";
import type { QuickCalls } from "./quick-writer.ts";

/** What the file modules of Node and Bun cannot do, or take long for. */
export type Native = StatFiles &
  MakeFiles & {
    /** For who writes many files: the calls themselves, where there are all. */
    readonly quick: QuickCalls | undefined;
    /** Sets a file's or link's own time, exact to the nanosecond. @throws when the system refuses */
    setTime(path: Buffer, nanoseconds: bigint): void;
    /** The same of an open file. @throws when the system refuses */
    setOpenTime(file: number, nanoseconds: bigint): void;
    /** @throws when the system refuses */
    makePipe(path: Buffer, mode: number): void;
  };

/** From fcntl.h: relative to the working directory, and of the link itself. */
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const SECOND = 1_000_000_000n;

const STATX = { statx: { args: ["i32", "ptr", "i32", "u32", "ptr"], returns: "i32" } } as const;

/** By the C library under Bun; elsewhere, in tests under Node, times are those that a double holds. */
export async function openNative(): Promise<Native> {
  if (process.versions["bun"] === undefined) return NODE;
  const { ptr } = await import("bun:ffi");
  const symbols = {
    utimensat: { args: ["i32", "ptr", "ptr", "i32"], returns: "i32" },
    futimens: { args: ["i32", "ptr"], returns: "i32" },
    mkfifo: { args: ["ptr", "u32"], returns: "i32" },
    openat: { args: ["i32", "ptr", "i32", "u32"], returns: "i32" },
    write: { args: ["i32", "ptr", "usize"], returns: "i32" },
    fchmod: { args: ["i32", "u32"], returns: "i32" },
    close: { args: ["i32"], returns: "i32" },
  } as const;
  const library = await cLibrary(symbols);
  if (library === undefined) return NODE;
  const text = (path: Buffer) => ptr(Buffer.concat([path, Buffer.from([0])]));
  // Not every C library has it.
  const statx = (await cLibrary(STATX))?.statx;
  const times = new BigInt64Array(new ArrayBuffer(32));
  const timesAt = ptr(times);
  const timesIn = (nanoseconds: bigint) => {
    setTimes(times, nanoseconds);
    return timesAt;
  };
  return {
    quick: statx && { ...library, statx, pointerTo: ptr },
    ...(statx === undefined ? PLAIN_STAT : statByCall(statx, ptr)),
    ...writeByCall(library, ptr),
    setTime(path, nanoseconds) {
      if (library.utimensat(AT_FDCWD, text(path), timesIn(nanoseconds), AT_SYMLINK_NOFOLLOW) !== 0) {
        throw refused("time");
      }
    },
    setOpenTime(file, nanoseconds) {
      if (library.futimens(file, timesIn(nanoseconds)) !== 0) throw refused("time");
    },
    makePipe(path, mode) {
      if (library.mkfifo(text(path), mode) !== 0) throw refused("pipe");
    },
  };
}

/** As two of the C library's struct timespec: when it was read, and written. */
function setTimes(times: BigInt64Array, nanoseconds: bigint): void {
  const over = nanoseconds % SECOND;
  const rest = over < 0n ? over + SECOND : over;
  times[0] = times[2] = (nanoseconds - rest) / SECOND;
  times[1] = times[3] = rest;
}

const inSeconds = (nanoseconds: bigint) => Number(nanoseconds / SECOND) + Number(nanoseconds % SECOND) / 1e9;

const NODE: Native = {
  quick: undefined,
  ...PLAIN_STAT,
  ...PLAIN_WRITE,
  setTime: (path, nanoseconds) => lutimesSync(path, inSeconds(nanoseconds), inSeconds(nanoseconds)),
  setOpenTime: (file, nanoseconds) => futimesSync(file, inSeconds(nanoseconds), inSeconds(nanoseconds)),
  makePipe: (path) => {
    // Another program has other descriptors.
    execFileSync("mkfifo", ["--", path.toString("utf8").replace(/^\/proc\/self/, `/proc/${process.pid}`)]);
  },
};

const refused = (what: string) => new Error(`The system refused to set a ${what}.`);
