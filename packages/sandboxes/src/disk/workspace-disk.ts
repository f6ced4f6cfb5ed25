import { access, mkdir, rename, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { AppError } from "@handrail/protocol/errors";
import { runProgram } from "../run-program.ts";
import { runSmallProgram } from "../small-programs.ts";
import { loopDevicesOf, onlyCopiesOf } from "./disk-holders.ts";
import { inProbe, removeOldProbes } from "./disk-probes.ts";

/**
 * A file system in a file, which bounds all that a conversation stores: a write beyond its size fails with ENOSPC. It
 * takes only the space of what is in it. It is mounted in the mount namespace of its sandbox alone, so that the kernel
 * takes mount and loop device away with the sandbox's last process, whoever was killed before.
 */
export const MOUNT_OPTIONS = "loop,nosuid,nodev,noatime,discard,noinit_itable";

const BLOCK_BYTES = 4096;
/** With a small one writers of many files wait for it again and again; a large one is space that a small disk needs. */
const JOURNAL = { leastMib: 4, mostMib: 16, share: 1 / 16 };
const PROBE_BYTES = 32 * 1024 ** 2;
const PATIENCE_MS = 5_000;
/** Within this a sandbox that has ended lets go of its disk. After it every process is looked at, to see who holds it. */
const SOON_MS = 500;
/** What the host keeps free whatever sandboxes write: a server that cannot write its log is of no use. */
const HOST_RESERVE_BYTES = 512 * 1024 ** 2;

/** The file with a file system, and where the host mounts it. */
export type DiskPlace = { readonly image: string; readonly disk: string };

/** Makes a file system of `bytes` with the tree `content` in it: whole or not at all. @throws AppError */
export async function makeDisk(image: string, content: string, bytes: number): Promise<void> {
  const unfinished = `${image}.part`;
  await rm(unfinished, { force: true });
  const shape = [
    // Room to grow, which no disk ever does, would be 4 MB of zeros to write.
    "-O",
    "^resize_inode",
    "-b",
    String(BLOCK_BYTES),
    "-E",
    "lazy_itable_init=1,lazy_journal_init=1,nodiscard",
    "-J",
    `size=${journalMib(bytes)}`,
  ];
  const size = `${Math.ceil(bytes / 1024)}k`;
  const made = await runSmallProgram("mke2fs", [
    "-q",
    "-F",
    "-t",
    "ext4",
    "-m",
    "0",
    ...shape,
    "-d",
    content,
    unfinished,
    size,
  ]);
  if (made.code !== 0) {
    await rm(unfinished, { force: true });
    throw failedToMake(made.stderr);
  }
  await rename(unfinished, image);
}

function journalMib(bytes: number): number {
  const { leastMib, mostMib, share } = JOURNAL;
  return Math.max(leastMib, Math.min(mostMib, Math.floor((bytes * share) / 1024 ** 2)));
}

/** By the words of who tried. */
export function failedToMake(said: string): AppError {
  const reason = said.trim().slice(0, 500);
  const failed = new AppError("sandbox_failed", `The workspace could not be prepared: ${reason}`, { reason });
  return tooManyFiles(reason) ?? failed;
}

/** What to say of first files that a disk did not take, by the words of who tried; undefined: it is something else. */
export function tooManyFiles(reason: string): AppError | undefined {
  const byQuota = /disk quota exceeded/i.test(reason);
  if (!byQuota && !/no space left|could not allocate|out of space/i.test(reason)) return undefined;
  const remedy = byQuota ? "Raise the quota of its user" : "Raise sandbox-disk";
  const message = `The first files do not fit into the space that a sandbox has. ${remedy} or take fewer files.`;
  return new AppError("disk_full", message, { reason });
}

/** @throws AppError `disk_full` when the host itself has hardly any space left: images grow as they are written */
export async function requireHostSpace(directory: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize >= HOST_RESERVE_BYTES) return;
  throw new AppError("disk_full", "The server's disk is nearly full. Free some space, then start the sandbox again.");
}

/**
 * Waits until no loop device has the image open, but for copies of the mount at `target` that strangers hold: its last
 * sandbox is gone for good, and another may have it.
 * @throws AppError `sandbox_failed` when one still has after 5 s
 */
export async function diskReleased({ image, disk }: DiskPlace): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  const soon = performance.now() + SOON_MS;
  for (let devices = loopDevicesOf(image); devices.length > 0; devices = loopDevicesOf(image)) {
    const isLate = performance.now() > soon;
    if (isLate && (await onlyCopiesOf(disk, devices))) return;
    if (performance.now() > until)
      throw new AppError("sandbox_failed", "The last sandbox still holds the workspace.", { image });
    await delay(isLate ? 100 : 2);
  }
}

/** Whether this process can make and mount such disks in a directory of sandboxes, found out by doing it. */
export async function disksWork(directory: string): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  try {
    await removeOldProbes(directory);
    return await inProbe(directory, tryDisk);
  } catch {
    return false;
  }
}

async function tryDisk(probe: string): Promise<boolean> {
  const [image, content, target] = [join(probe, "image"), join(probe, "content"), join(probe, "target")];
  await Promise.all([mkdir(content), mkdir(target)]);
  await makeDisk(image, content, PROBE_BYTES);
  const mount = ["mount", "-t", "ext4", "-o", MOUNT_OPTIONS, image, target];
  return (await runProgram("unshare", ["--mount", "--", ...mount])).code === 0;
}

/** The end of a file in a disk that is not mounted; empty when there is none. */
export async function diskLog(image: string, path: string): Promise<string> {
  return (await runProgram("debugfs", ["-R", `cat ${path}`, image])).stdout;
}

export function hasDisk(image: string): Promise<boolean> {
  return access(image).then(
    () => true,
    () => false,
  );
}
