import { chownSync, closeSync, existsSync, ftruncateSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { statfsSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { AppError } from "@handrail/protocol/errors";
import type { DiskImage, DiskOwner, DiskRequest, UserNames } from "@handrail/protocol/sandboxd/disk-messages";
import { DISK_FILE, DISK_MOUNT, DISK_NAMES } from "@handrail/protocol/sandboxd/disk-messages";
import { zstd } from "../snapshot/objects/zstd.ts";
import type { DeviceNumber, DiskCalls } from "./disk-calls.ts";

const PATIENCE_MS = 5_000;
/** What the machine keeps free whatever sandboxes write. */
const RESERVE_BYTES = 512 * 1024 ** 2;
/** linux/major.h and linux/miscdevice.h */
const LOOP_CONTROL: DeviceNumber = { major: 10, minor: 237 };
const ATTEMPTS = 20;

export type DiskPlaces = {
  /** The daemon's directory of volumes. */
  readonly volumes: string;
  /** Where devices can be made. */
  readonly devices: string;
};

export type Disks = ReturnType<typeof openDisks>;

/** Disks beside volumes: files with a file system that are mounted in directories of their own. */
export function openDisks({ volumes, devices }: DiskPlaces, calls: DiskCalls) {
  const mounted = new Set<string>();
  const release = (volume: string, forget: boolean): void => {
    const target = join(volumes, volume, DISK_MOUNT);
    while (isMounted(target)) calls.unmount(target);
    mounted.delete(volume);
    if (!forget) return;
    for (const made of [DISK_FILE, DISK_NAMES]) rmSync(join(volumes, volume, made), { recursive: true, force: true });
    // Not empty where the daemon did not see what was mounted, and made what it missed.
    rmSync(target, { recursive: true, force: true });
  };
  const mount = async ({ volume, anew, names }: Extract<DiskRequest, { type: "mount" }>): Promise<void> => {
    const place = join(volumes, volume);
    const [file, target] = [join(place, DISK_FILE), join(place, DISK_MOUNT)];
    if (!existsSync(place)) throw new AppError("sandbox_failed", "The daemon keeps its volumes elsewhere.");
    release(volume, false);
    requireSpace(place);
    writeNames(place, names);
    if (anew !== undefined) makeFile(file, anew.image);
    mkdirSync(target, { recursive: true, mode: 0o700 });
    await mountFile({ file, target, devices, calls });
    mounted.add(volume);
    if (anew !== undefined) furnish(target, anew.owner);
  };
  return {
    /** Names of volumes whose disks were mounted and not released. */
    mounted: mounted as ReadonlySet<string>,
    /** @throws AppError `disk_full`, `sandbox_failed` */
    do: async (request: DiskRequest): Promise<void> => {
      if (request.type === "mount") return mount(request);
      for (const volume of request.volumes) release(volume, request.forget);
    },
  };
}

/** @throws AppError `disk_full` */
export function requireSpace(directory: string): void {
  const { bavail, bsize } = statfsSync(directory);
  if (bavail * bsize >= RESERVE_BYTES) return;
  const message =
    "The disk of the Docker daemon's machine is nearly full. Free some space, then start the sandbox again.";
  throw new AppError("disk_full", message);
}

/** Beside the files of a volume. Those that are there may be mounted: they are written again, with what they say. */
export function writeNames(place: string, names: UserNames | undefined): void {
  if (names === undefined) return;
  const directory = join(place, DISK_NAMES);
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  for (const [name, text] of Object.entries(names)) writeFileSync(join(directory, name), text, { mode: 0o644 });
}

/** Replaces one that was begun. */
function makeFile(path: string, { bytes, extents, data }: DiskImage): void {
  rmSync(path, { force: true });
  const size = extents.reduce((sum, [, length]) => sum + length, 0);
  const content = zstd.decompress(Buffer.from(data, "base64"), size);
  const file = openSync(path, "wx", 0o600);
  try {
    ftruncateSync(file, bytes);
    let from = 0;
    for (const [at, length] of extents) {
      for (let done = 0; done < length;) done += writeSync(file, content, from + done, length - done, at + done);
      from += length;
    }
  } finally {
    closeSync(file);
  }
}

type Mounting = {
  readonly file: string;
  readonly target: string;
  readonly devices: string;
  readonly calls: DiskCalls;
};

/** Mount and loop device end with who uses them last. */
async function mountFile({ file, target, devices, calls }: Mounting): Promise<void> {
  const opened = openDisk(file);
  try {
    await locked(opened, calls);
    const { device, path } = attached(opened, devices, calls);
    try {
      calls.mount(path, target);
    } finally {
      closeSync(device);
    }
  } finally {
    closeSync(opened);
  }
}

function openDisk(file: string): number {
  try {
    return openSync(file, "r+");
  } catch (cause) {
    const message = "The workspace's disk is not on the Docker daemon's machine any more.";
    throw new AppError("sandbox_failed", message, {}, { cause });
  }
}

/** A loop device holds the lock as long as it has the file: its last sandbox is then gone for good. */
async function locked(file: number, calls: DiskCalls): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  while (!calls.lock(file)) {
    if (performance.now() > until) throw new AppError("sandbox_failed", "The last sandbox still holds the workspace.");
    await delay(2);
  }
}

function attached(file: number, devices: string, calls: DiskCalls): { readonly device: number; readonly path: string } {
  const control = openDevice(join(devices, "loop-control"), "character", LOOP_CONTROL, calls);
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const name = `loop${calls.freeLoop(control)}`;
      const path = join(devices, name);
      const device = openDevice(path, "block", numberOf(name), calls);
      if (calls.attachLoop(device, file)) return { device, path };
      closeSync(device);
    }
  } finally {
    closeSync(control);
  }
  throw new AppError("sandbox_failed", "The Docker daemon's machine has no loop device to give.");
}

function openDevice(path: string, type: "character" | "block", number: DeviceNumber, calls: DiskCalls): number {
  if (!existsSync(path)) calls.makeDevice(path, type, number);
  try {
    return openSync(path, "r+");
  } catch (cause) {
    const message =
      "The Docker daemon may not use loop devices. One in a container needs device_cgroup_rules for them, as in deploy/compose/sidecar.yaml.";
    throw new AppError("sandbox_failed", message, {}, { cause });
  }
}

/** As the kernel says it, `7:0`. */
function numberOf(name: string): DeviceNumber {
  const [major = 0, minor = 0] = readFileSync(`/sys/block/${name}/dev`, "utf8").split(":").map(Number);
  return { major, minor };
}

/** Of a directory that only root of the disk may change; each becomes its owner's once it is whole. */
export function furnish(disk: string, { uid, gid }: DiskOwner): void {
  const made = [
    ["workspace", 0o755],
    ["state", 0o700],
    ["state/home", 0o700],
  ] as const;
  for (const [name, mode] of made) mkdirSync(join(disk, name), { mode });
  for (const [name] of made.toReversed()) chownSync(join(disk, name), uid, gid);
}

/**
 * A directory that is on another file system than the one above it is where something is mounted. One whose file system is
 * served by nobody any more cannot be looked at.
 */
export function isMounted(directory: string): boolean {
  const above = statSync(join(directory, ".."), { throwIfNoEntry: false })?.dev;
  try {
    const own = statSync(directory, { throwIfNoEntry: false })?.dev;
    return own !== undefined && above !== undefined && own !== above;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === "ENOTCONN";
  }
}
