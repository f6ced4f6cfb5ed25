import { requireCLibrary } from "../c-library.ts";

/** What it takes of the system to mount a file, and what the file module does not have. Each throws what the system says. */
export type DiskCalls = {
  /** Locks an open file against all others, as long as it or a loop device has it open. False: it is locked. */
  lock(file: number): boolean;
  makeDevice(path: string, type: "character" | "block", number: DeviceNumber): void;
  /** The number of a loop device that is free. */
  freeLoop(control: number): number;
  /** Gives an open file to an open loop device, until nobody has that open. False: another took it. */
  attachLoop(device: number, file: number): boolean;
  mount(device: string, target: string): void;
  /** What holds it meanwhile keeps it. */
  unmount(target: string): void;
};

export type DeviceNumber = { readonly major: number; readonly minor: number };

/** From sys/file.h, sys/mount.h, sys/stat.h, errno.h and linux/loop.h. */
const LOCK_EX = 2;
const LOCK_NB = 4;
const MS_NOSUID = 2;
const MS_NODEV = 4;
const MS_NOATIME = 1024;
const MNT_DETACH = 2;
const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;
const EAGAIN = 11;
const EBUSY = 16;
const LOOP_CTL_GET_FREE = 0x4c82;
const LOOP_CONFIGURE = 0x4c0a;
const LO_FLAGS_AUTOCLEAR = 4;
/** struct loop_config: the file at 0, the flags of its loop_info64 at 60. */
const LOOP_CONFIG_BYTES = 304;
const LOOP_CONFIG_FLAGS = 60;
/** Data of ext4: freed blocks go back to the machine, and nothing is zeroed ahead. */
const EXT4_OPTIONS = "discard,noinit_itable";
/** mknodat(2), which older C libraries have no function for. */
const MKNODAT = process.arch === "arm64" ? 33 : 259;
const AT_FDCWD = -100n;

const SYMBOLS = {
  flock: { args: ["i32", "i32"], returns: "i32" },
  ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
  mount: { args: ["ptr", "ptr", "ptr", "u64", "ptr"], returns: "i32" },
  umount2: { args: ["ptr", "i32"], returns: "i32" },
  syscall: { args: ["i64", "i64", "ptr", "i64", "i64"], returns: "i64" },
  __errno_location: { args: [], returns: "ptr" },
} as const;

/** @throws when the C library cannot be called */
export async function openDiskCalls(): Promise<DiskCalls> {
  const { read } = await import("bun:ffi");
  const library = await requireCLibrary(SYMBOLS);
  const text = (value: string) => Buffer.from(`${value}\0`);
  const errno = () => read.i32(library.__errno_location());
  const done = (what: string, result: number | bigint) => {
    if (Number(result) < 0) throw new Error(`${what} failed with error ${errno()} of the system.`);
    return Number(result);
  };
  const unless = (harmless: number, what: string, result: number) => {
    if (result < 0 && errno() === harmless) return false;
    done(what, result);
    return true;
  };
  return {
    lock: (file) => unless(EAGAIN, "Locking the disk", library.flock(file, LOCK_EX | LOCK_NB)),
    makeDevice(path, type, { major, minor }) {
      const mode = (type === "block" ? S_IFBLK : S_IFCHR) | 0o600;
      const number = ((minor & ~0xff) << 12) | (major << 8) | (minor & 0xff);
      done("Making a device", library.syscall(MKNODAT, AT_FDCWD, text(path), mode, number));
    },
    freeLoop: (control) => done("Asking for a loop device", library.ioctl(control, LOOP_CTL_GET_FREE, null)),
    attachLoop(device, file) {
      const config = Buffer.alloc(LOOP_CONFIG_BYTES);
      config.writeUInt32LE(file, 0);
      config.writeUInt32LE(LO_FLAGS_AUTOCLEAR, LOOP_CONFIG_FLAGS);
      return unless(EBUSY, "Attaching a loop device", library.ioctl(device, LOOP_CONFIGURE, config));
    },
    mount(device, target) {
      const flags = MS_NOSUID | MS_NODEV | MS_NOATIME;
      done("Mounting the disk", library.mount(text(device), text(target), text("ext4"), flags, text(EXT4_OPTIONS)));
    },
    unmount: (target) => void done("Unmounting the disk", library.umount2(text(target), MNT_DETACH)),
  };
}
