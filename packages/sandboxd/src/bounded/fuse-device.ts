import { closeSync, openSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { requireCLibrary } from "../c-library.ts";
import { ERROR } from "./fuse-abi.ts";

/** From sys/mount.h and poll.h. */
const MS_NOSUID = 2;
const MS_NODEV = 4;
const MNT_DETACH = 2;
const POLLIN = 1;
const POLLERR = 8;
/** struct pollfd. */
const POLLED = { file: 0, wanted: 4, found: 6, size: 8 } as const;
const DEVICE = "/dev/fuse";

const SYMBOLS = {
  mount: { args: ["ptr", "ptr", "ptr", "u64", "ptr"], returns: "i32" },
  umount2: { args: ["ptr", "i32"], returns: "i32" },
  poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
  __errno_location: { args: [], returns: "ptr" },
} as const;

/** From which requests are read. */
export type OpenDevice = { readonly device: number };

export type MountedFuse = OpenDevice & {
  /** Waits for a request, or for `other` to have something or to end. True: `other` has. */
  waits(other: number): boolean;
  /** Takes the mount away here; whoever has it keeps it. The working directory is where the target's path begins. */
  unmount(): void;
};

/** In this time whoever gave the open device mounts it. */
const MOUNTED_AFTER_MS = 10_000;

/** The device that others mount, once they have. @throws Error when they do not */
export async function mountedDevice({ device }: OpenDevice): Promise<OpenDevice> {
  const library = await requireCLibrary(SYMBOLS);
  const polled = pollOf([device]);
  const until = performance.now() + MOUNTED_AFTER_MS;
  // Before it is mounted it is in error.
  while (library.poll(polled, 1, 0) > 0 && (foundOf(polled, 0) & POLLERR) !== 0) {
    if (performance.now() > until) throw new Error("FUSE was not mounted.");
    await delay(1);
  }
  return { device };
}

/** Mounts a file system that is yet to be served. @throws Error when this process may not, or there is no FUSE */
export async function mountFuse(target: string): Promise<MountedFuse> {
  const { read } = await import("bun:ffi");
  const library = await requireCLibrary(SYMBOLS);
  const path = resolve(target);
  const text = (value: string) => Buffer.from(`${value}\0`);
  const device = openDevice();
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  // Whose files they are the kernel minds, and lets everybody in.
  const options = `fd=${device},rootmode=40000,user_id=${uid},group_id=${gid},allow_other,default_permissions`;
  const flags = MS_NOSUID | MS_NODEV;
  if (library.mount(text("handrail"), text(path), text("fuse"), flags, text(options)) < 0) {
    const errno = library.__errno_location();
    closeSync(device);
    throw new Error(
      `FUSE cannot be mounted here: error ${errno === null ? "unknown" : read.i32(errno)} of the system.`,
    );
  }
  return {
    device,
    waits: (other) => {
      const polled = pollOf([device, other]);
      return library.poll(polled, 2, -1) > 0 && foundOf(polled, 1) !== 0;
    },
    unmount: () => void library.umount2(text(`.${path}`), MNT_DETACH),
  };
}

function pollOf(files: readonly number[]): Buffer {
  const polled = Buffer.alloc(files.length * POLLED.size);
  for (const [index, file] of files.entries()) {
    polled.writeInt32LE(file, index * POLLED.size + POLLED.file);
    polled.writeInt16LE(POLLIN, index * POLLED.size + POLLED.wanted);
  }
  return polled;
}

const foundOf = (polled: Buffer, index: number) => polled.readInt16LE(index * POLLED.size + POLLED.found);

function openDevice(): number {
  try {
    return openSync(DEVICE, "r+");
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).errno === -ERROR.ENOENT;
    const what = isMissing ? "is not there" : "may not be used";
    throw new Error(`${DEVICE} ${what}.`, { cause });
  }
}
