import { chmod, chown, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import { isMounted } from "../process/mounted-disk.ts";
import { runProgram } from "../run-program.ts";

/** Directories of a sandbox that last as long as it does, each by where it is inside. */
const PLACES = { tmp: "/tmp", "var-tmp": "/var/tmp", run: "/run" } as const;

export type Scratch = {
  /** Paths of the host by where they belong inside. */
  readonly places: readonly { readonly source: string; readonly target: string }[];
  /** Takes the directories off the host once the sandbox has them mounted; they end with the sandbox. */
  release(): Promise<void>;
};

export type ScratchWish = {
  readonly directory: string;
  /** Of all directories together. */
  readonly bytes: number;
  readonly uid: number;
  /** Whether the runtime sees what this process mounts. */
  readonly seen: boolean;
};

/**
 * Empty directories for /tmp and the like, in memory: CRI cannot ask for a tmpfs, so it is
 * mounted on the host for as long as the start takes. Where this process has mounts of its own, which the runtime does
 * not see (a service with `PrivateTmp`), they are on the disk, without a limit, until the next start.
 * @throws AppError `sandbox_failed`
 */
export async function makeScratch({ directory, bytes, uid, seen }: ScratchWish): Promise<Scratch> {
  await removeScratch(directory);
  await mkdir(directory, { recursive: true, mode: 0o755 });
  if (seen) await mountMemory(directory, bytes);
  const places = Object.entries(PLACES).map(([name, target]) => ({ source: join(directory, name), target }));
  for (const { source } of places) {
    await mkdir(source);
    await chown(source, uid, uid);
    await chmod(source, 0o1777);
  }
  return { places, release: () => (seen ? removeScratch(directory) : Promise.resolve()) };
}

/** Removes what a start left, mounted or not. No error when there is nothing. */
export async function removeScratch(directory: string): Promise<void> {
  if (await isMounted(directory)) {
    const { code, stderr } = await runProgram("umount", ["--lazy", directory]);
    if (code !== 0) throw new AppError("sandbox_failed", `The sandbox's /tmp could not be unmounted: ${stderr.trim()}`);
  }
  await rm(directory, { recursive: true, force: true });
}

async function mountMemory(directory: string, bytes: number): Promise<void> {
  const options = `size=${bytes},mode=0755,nosuid,nodev`;
  const { code, stderr } = await runProgram("mount", ["-t", "tmpfs", "-o", options, "handrail", directory]);
  if (code !== 0) throw new AppError("sandbox_failed", `The sandbox's /tmp could not be made: ${stderr.trim()}`);
}
