import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import { DISK_FILES, DISK_MOUNT, type UserNames } from "@handrail/protocol/sandboxd/disk-messages";
import { serveBounded } from "../bounded/serve-bounded.ts";
import { openDiskCalls } from "../disks/disk-calls.ts";
import { furnish, isMounted, requireSpace, writeNames } from "../disks/disks.ts";

export type Kept = {
  /** Of a volume. The files lie in it, and are mounted in it. */
  readonly directory: string;
  /** What may be stored. */
  readonly bytes: number;
  /** The files are made anew: directories of this user and group. Undefined: they are those that are there. */
  readonly owner: number | undefined;
  /** Are written beside them. */
  readonly names: UserNames | undefined;
};

/**
 * Serves the files beside a volume's own as a file system with a bound, for the server on standard input and output to give
 * to a sandbox, until nobody has it mounted any more. Fails with a line of JSON in place of "ready".
 */
export async function keepFiles({ directory, bytes, owner, names }: Kept): Promise<number> {
  const [files, target] = [join(directory, DISK_FILES), join(directory, DISK_MOUNT)];
  try {
    await release(target);
    requireSpace(directory);
    writeNames(directory, names);
    if (owner !== undefined) makeFiles(files, owner);
    if (!existsSync(files))
      throw new AppError("sandbox_failed", "The workspace is not on the daemon's machine any more.");
    mkdirSync(target, { recursive: true, mode: 0o700 });
    await serveBounded({ directory: files, bytes, mount: { target } });
    return 0;
  } catch (thrown) {
    const code = thrown instanceof AppError && thrown.code === "disk_full" ? thrown.code : "sandbox_failed";
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    process.stdout.write(`${JSON.stringify({ id: 0, code, message })}\n`);
    return 1;
  }
}

/** Of a keeper that was killed. */
async function release(target: string): Promise<void> {
  const calls = await openDiskCalls();
  while (isMounted(target)) calls.unmount(target);
}

/** In place of those that were begun. */
function makeFiles(files: string, owner: number): void {
  const unfinished = `${files}.part`;
  for (const path of [files, unfinished]) rmSync(path, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o755 });
  furnish(unfinished, { uid: owner, gid: owner });
  renameSync(unfinished, files);
}
