import { requireCLibrary } from "../c-library.ts";
import { ERROR } from "./fuse-abi.ts";

/** From fcntl.h, linux/stat.h and sys/file.h; some differ by processor. */
const ARM = process.arch === "arm64";
const O_RDWR = 2;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const O_DIRECTORY = ARM ? 0o40000 : 0o200000;
const O_NOFOLLOW = ARM ? 0o100000 : 0o400000;
const O_PATH = 0o10000000;
const OPEN = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const STATX_BASIC = 0x7ff;
const LOCK_EX = 2;
const LOCK_NB = 4;
const SEEK_SET = 0;
/** From poll.h, with struct pollfd. */
const POLLIN = 1;
const POLLED = { file: 0, wanted: 4, size: 8 } as const;
/** System calls that older C libraries have no function for. */
const CALL = ARM ? { getdents64: 61, renameat2: 276 } : { getdents64: 217, renameat2: 316 };
const PATH_BYTES = 4096;
/** struct statx, and two of struct timespec. */
const STAT_BYTES = 256;
const TIMES_BYTES = 32;

const SYMBOLS = {
  open: { args: ["ptr", "i32", "i32"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
  read: { args: ["i32", "ptr", "i64_fast"], returns: "i64_fast" },
  write: { args: ["i32", "ptr", "i64_fast"], returns: "i64_fast" },
  pread: { args: ["i32", "ptr", "i64_fast", "i64_fast"], returns: "i64_fast" },
  pwrite: { args: ["i32", "ptr", "i64_fast", "i64_fast"], returns: "i64_fast" },
  statx: { args: ["i32", "ptr", "i32", "i32", "ptr"], returns: "i32" },
  mkdir: { args: ["ptr", "i32"], returns: "i32" },
  mknod: { args: ["ptr", "i32", "i64_fast"], returns: "i32" },
  unlink: { args: ["ptr"], returns: "i32" },
  rmdir: { args: ["ptr"], returns: "i32" },
  linkat: { args: ["i32", "ptr", "i32", "ptr", "i32"], returns: "i32" },
  symlink: { args: ["ptr", "ptr"], returns: "i32" },
  readlinkat: { args: ["i32", "ptr", "ptr", "i64_fast"], returns: "i64_fast" },
  truncate: { args: ["ptr", "i64_fast"], returns: "i32" },
  ftruncate: { args: ["i32", "i64_fast"], returns: "i32" },
  chmod: { args: ["ptr", "i32"], returns: "i32" },
  fchmod: { args: ["i32", "i32"], returns: "i32" },
  fchownat: { args: ["i32", "ptr", "i32", "i32", "i32"], returns: "i32" },
  utimensat: { args: ["i32", "ptr", "ptr", "i32"], returns: "i32" },
  fsync: { args: ["i32"], returns: "i32" },
  fdatasync: { args: ["i32"], returns: "i32" },
  fallocate: { args: ["i32", "i32", "i64_fast", "i64_fast"], returns: "i32" },
  lseek: { args: ["i32", "i64", "i32"], returns: "i64" },
  flock: { args: ["i32", "i32"], returns: "i32" },
  chroot: { args: ["ptr"], returns: "i32" },
  syscall: { args: ["i64_fast", "i64_fast", "ptr", "i64_fast", "ptr", "i64_fast"], returns: "i64_fast" },
  __errno_location: { args: [], returns: "ptr" },
} as const;

/** A file: by its path from the root, or open where it may have none. */
export type Place = string | number;

/** Where a buffer is in memory. */
export type Address = import("bun:ffi").Pointer;

/** Where what `look` leaves has its fields, in bytes; behind the links are user and group. Times are seconds and nanoseconds. Source: linux/stat.h, struct statx */
export const STAT = {
  links: 16,
  mode: 28,
  inode: 32,
  size: 40,
  blocks: 48,
  accessed: 64,
  changed: 96,
  modified: 112,
  deviceMajor: 128,
  deviceMinor: 132,
} as const;

/**
 * Calls of the system on files, each of which returns its result, or the number of its error below zero. Paths are texts of
 * one character for each byte. None follows a link at the end of a path.
 */
export type FileCalls = Awaited<ReturnType<typeof openFileCalls>>;

/** @throws when the C library cannot be called */
export async function openFileCalls() {
  const { ptr, read } = await import("bun:ffi");
  const library = await requireCLibrary(SYMBOLS);
  const errno = library.__errno_location();
  const result = (value: number | bigint): number => {
    if (value >= 0) return Number(value);
    return errno === null ? -ERROR.EINVAL : -read.i32(errno);
  };
  const paths = pathsOf(result);
  const address = (buffer: Buffer | DataView): Address => ptr(buffer);
  return {
    address,
    ...lookingCalls({ library, result, ...paths }, address),
    ...namingCalls({ library, result, ...paths }),
    ...contentCalls({ library, result, ...paths }),
  };
}

type Library = Awaited<ReturnType<typeof requireCLibrary<typeof SYMBOLS>>>;
type Result = (value: number | bigint) => number;
type Means = { readonly library: Library; readonly result: Result } & ReturnType<typeof pathsOf>;

/** Hands paths to calls, unless they are too long for the system. */
function pathsOf(result: Result) {
  const buffers = [Buffer.alloc(PATH_BYTES), Buffer.alloc(PATH_BYTES)] as const;
  const text = (value: string, which: 0 | 1 = 0): Buffer => {
    const buffer = buffers[which];
    buffer[buffer.write(value, "latin1")] = 0;
    return buffer;
  };
  const at = (path: string, call: (path: Buffer) => number): number =>
    path.length < PATH_BYTES ? result(call(text(path))) : -ERROR.ENAMETOOLONG;
  return {
    at,
    /** For calls that take a path or an open file. */
    by: (place: Place, call: (file: number, path: Buffer, flags: number) => number): number =>
      typeof place === "string"
        ? at(place, (path) => call(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW))
        : result(call(place, text(""), AT_EMPTY_PATH)),
    two: (first: string, second: string, call: (first: Buffer, second: Buffer) => number | bigint): number =>
      first.length < PATH_BYTES && second.length < PATH_BYTES
        ? result(call(text(first), text(second, 1)))
        : -ERROR.ENAMETOOLONG,
  };
}

function lookingCalls({ library, result, at, by }: Means, address: (buffer: DataView) => Address) {
  const stat = new DataView(new ArrayBuffer(STAT_BYTES));
  const times = new DataView(new ArrayBuffer(TIMES_BYTES));
  const [statAt, timesAt] = [address(stat), address(times)];
  return {
    /** What the last `look` found. */
    stat,
    /** What `setTimes` sets: struct timespec of the last access and of the last change. */
    times,
    look: (place: Place) => by(place, (file, path, flags) => library.statx(file, path, flags, STATX_BASIC, statAt)),
    readLink: (place: Place, into: Address, size: number) =>
      by(place, (file, path) => library.readlinkat(file, path, into, size)),
    setMode: (place: Place, mode: number) =>
      typeof place === "number" ? result(library.fchmod(place, mode)) : at(place, (path) => library.chmod(path, mode)),
    setOwner: (place: Place, uid: number, gid: number) =>
      by(place, (file, path, flags) => library.fchownat(file, path, uid, gid, flags)),
    setTimes: (place: Place) => by(place, (file, path, flags) => library.utimensat(file, path, timesAt, flags)),
    truncate: (place: Place, size: number) =>
      typeof place === "number"
        ? result(library.ftruncate(place, size))
        : at(place, (path) => library.truncate(path, size)),
  };
}

function namingCalls({ library, at, two }: Means) {
  return {
    makeDirectory: (path: string, mode: number) => at(path, (name) => library.mkdir(name, mode)),
    makeNode: (path: string, mode: number, device: number) => at(path, (name) => library.mknod(name, mode, device)),
    removeFile: (path: string) => at(path, (name) => library.unlink(name)),
    removeDirectory: (path: string) => at(path, (name) => library.rmdir(name)),
    link: (old: string, path: string) => two(old, path, (from, to) => library.linkat(AT_FDCWD, from, AT_FDCWD, to, 0)),
    symlink: (target: string, path: string) => two(target, path, (to, name) => library.symlink(to, name)),
    rename: (old: string, path: string, flags: number) =>
      two(old, path, (from, to) => library.syscall(CALL.renameat2, AT_FDCWD, from, AT_FDCWD, to, flags)),
    /** Nothing outside of a directory has a path from then on. */
    makeRoot: (path: string) => at(path, (name) => library.chroot(name)),
  };
}

function contentCalls({ library, result, at }: Means) {
  const polled = Buffer.alloc(POLLED.size);
  polled.writeInt16LE(POLLIN, POLLED.wanted);
  return {
    open: (path: string) => at(path, (name) => library.open(name, OPEN | O_RDWR, 0)),
    openToRead: (path: string) => at(path, (name) => library.open(name, OPEN, 0)),
    openDirectory: (path: string) => at(path, (name) => library.open(name, OPEN | O_DIRECTORY, 0)),
    /** Has a file of any type, to look at it. */
    hold: (path: string) => at(path, (name) => library.open(name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0)),
    close: (file: number) => void library.close(file),
    read: (file: number, into: Address, size: number) => result(library.read(file, into, size)),
    /** Whether a read would not wait. */
    hasMore: (file: number): boolean => {
      polled.writeInt32LE(file, POLLED.file);
      return library.poll(polled, 1, 0) > 0;
    },
    write: (file: number, from: Address, size: number) => result(library.write(file, from, size)),
    readAt: (file: number, into: Address, size: number, offset: number) =>
      result(library.pread(file, into, size, offset)),
    writeAt: (file: number, from: Address, size: number, offset: number) =>
      result(library.pwrite(file, from, size, offset)),
    sync: (file: number, dataOnly: boolean) => result(dataOnly ? library.fdatasync(file) : library.fsync(file)),
    allocate: (file: number, mode: number, offset: number, size: number) =>
      result(library.fallocate(file, mode, offset, size)),
    seek: (file: number, offset: bigint, whence: number = SEEK_SET) => result(library.lseek(file, offset, whence)),
    /** Names of an open directory from where it was sought to, as struct linux_dirent64 of getdents64(2). */
    names: (directory: number, into: Address, size: number) =>
      result(library.syscall(CALL.getdents64, directory, into, size, null, 0)),
    /** Locks it against all others, unless one has it. */
    lock: (file: number) => result(library.flock(file, LOCK_EX | LOCK_NB)),
  };
}
