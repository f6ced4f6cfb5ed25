import { constants, type BigIntStats } from "node:fs";

/** A time as the system says it: seconds since 1970, and nanoseconds after them. */
export type Time = { readonly seconds: number; readonly nanoseconds: number };

/** Some of a file's `FileStat` without large numbers, which take longer than all else where there are many files. */
export type StatNumbers = {
  readonly changed: Time;
  readonly modified: Time;
  /** The lower 32 bits. */
  readonly inode: number;
};

/** What the system says of a file itself, no link followed. `mode` has the type too; times are nanoseconds since 1970. */
export type FileStat = {
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  /** The lower 32 bits. */
  readonly device: number;
  readonly inode: bigint;
  readonly size: number;
  readonly changedNs: bigint;
  readonly modifiedNs: bigint;
  /** Where they cost nothing; `numbersOf` has them of all. */
  readonly numbers?: StatNumbers;
};

const SECOND = 1_000_000_000n;

/** Of nanoseconds since 1970. */
export function timeOf(nanoseconds: bigint): Time {
  const over = ((nanoseconds % SECOND) + SECOND) % SECOND;
  return { seconds: Number((nanoseconds - over) / SECOND), nanoseconds: Number(over) };
}

export function numbersOf(stat: FileStat): StatNumbers {
  if (stat.numbers !== undefined) return stat.numbers;
  const inode = Number(BigInt.asUintN(32, stat.inode));
  return { changed: timeOf(stat.changedNs), modified: timeOf(stat.modifiedNs), inode };
}

const hasType = (type: number) => (stat: FileStat) => (stat.mode & constants.S_IFMT) === type;

export const isFile: (stat: FileStat) => boolean = hasType(constants.S_IFREG);
export const isDirectory: (stat: FileStat) => boolean = hasType(constants.S_IFDIR);
export const isLink: (stat: FileStat) => boolean = hasType(constants.S_IFLNK);
export const isPipe: (stat: FileStat) => boolean = hasType(constants.S_IFIFO);

/** Permissions, with set-user-ID, set-group-ID and sticky. */
export const modeOf = (stat: FileStat): number => stat.mode & 0o7777;

/** From what the file module says. */
export function fileStat(stat: BigIntStats): FileStat {
  return {
    mode: Number(stat.mode),
    links: Number(stat.nlink),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    device: Number(BigInt.asUintN(32, stat.dev)),
    inode: stat.ino,
    size: Number(stat.size),
    changedNs: stat.ctimeNs,
    modifiedNs: stat.mtimeNs,
  };
}
