import { statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import { runSmallProgram } from "../small-programs.ts";
import { MOUNT_OPTIONS } from "./workspace-disk.ts";

/** One row of fstab(5). */
export type Mount = {
  readonly source: string;
  readonly target: string;
  readonly type: "ext4" | "tmpfs";
  readonly options: string;
};

/** A workspace's disk at `target`. */
export function diskMount(image: string, target: string): Mount {
  return { source: image, target, type: "ext4", options: MOUNT_OPTIONS };
}

/** Mounts a workspace's disk where this process sees it. @throws AppError `sandbox_failed` */
export async function mountDisk(image: string, target: string): Promise<void> {
  const { code, stderr } = await runSmallProgram("mount", ["-t", "ext4", "-o", MOUNT_OPTIONS, image, target]);
  if (code !== 0) throw notMounted(stderr);
}

/**
 * Mounts several by one program, which is most of what mounting takes; `table` is the file that tells it. Those before
 * and after one that fails are mounted. @throws AppError `sandbox_failed`
 */
export async function mountAll(mounts: readonly Mount[], table: string): Promise<void> {
  const rows = mounts.map(({ source, target, type, options }) =>
    [source, target, type, options].map(escaped).join(" "),
  );
  await writeFile(table, `${rows.join("\n")}\n`, { mode: 0o600 });
  const { code, stderr } = await runSmallProgram("mount", ["-a", "-T", table]);
  if (code !== 0) throw notMounted(stderr);
  // A row that it does not understand it passes over.
  if (!mounts.every(({ target }) => isMounted(target))) throw notMounted(`the program mount left it out. ${stderr}`);
}

/**
 * Takes the mount away here; a sandbox that has it keeps it. No error where nothing is mounted.
 * @throws AppError `sandbox_failed`
 */
export async function unmountDisk(target: string): Promise<void> {
  await unmountAll([target]);
}

/** Takes away what is mounted at any of them, by one program. @throws AppError `sandbox_failed` */
export async function unmountAll(targets: readonly string[]): Promise<void> {
  const held = targets.filter(isMounted);
  if (held.length === 0) return;
  const { code, stderr } = await runSmallProgram("umount", ["--lazy", ...held]);
  if (code !== 0) throw new AppError("sandbox_failed", `The workspace could not be unmounted: ${stderr.trim()}`);
}

/**
 * A directory that is on another file system than the one above it is where something is mounted. Synchronous: a start asks
 * this of several directories that were just made or looked at, which the kernel remembers.
 */
export function isMounted(directory: string): boolean {
  const [own, above] = [directory, join(directory, "..")].map(deviceOf);
  return own !== undefined && above !== undefined && own !== above;
}

function deviceOf(path: string): number | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.dev;
  } catch {
    return undefined;
  }
}

function notMounted(said: string): AppError {
  return new AppError("sandbox_failed", `The workspace could not be mounted: ${said.trim()}`);
}

/** As fstab(5) has blanks and the escape itself: by their octal numbers. */
function escaped(text: string): string {
  return text.replace(/[\s\\#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`);
}
