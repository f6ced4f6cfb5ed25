import { stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import { runProgram } from "../run-program.ts";
import { MOUNT_OPTIONS } from "./workspace-disk.ts";

/** Mounts a workspace's disk where this process sees it. @throws AppError `sandbox_failed` */
export async function mountDisk(image: string, target: string): Promise<void> {
  const { code, stderr } = await runProgram("mount", ["-t", "ext4", "-o", MOUNT_OPTIONS, image, target]);
  if (code !== 0) throw new AppError("sandbox_failed", `The workspace could not be mounted: ${stderr.trim()}`);
}

/**
 * Takes the mount away here; a sandbox that has it keeps it. No error where nothing is mounted.
 * @throws AppError `sandbox_failed`
 */
export async function unmountDisk(target: string): Promise<void> {
  if (!(await isMounted(target))) return;
  const { code, stderr } = await runProgram("umount", ["--lazy", target]);
  if (code !== 0) throw new AppError("sandbox_failed", `The workspace could not be unmounted: ${stderr.trim()}`);
}

/** A directory that is on another file system than the one above it is where something is mounted. */
export async function isMounted(directory: string): Promise<boolean> {
  const devices = await Promise.all(
    [directory, join(directory, "..")].map((path) => stat(path).catch(() => undefined)),
  );
  const [own, above] = devices.map((found) => found?.dev);
  return own !== undefined && above !== undefined && own !== above;
}
