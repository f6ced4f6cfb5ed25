import { chmodSync, chownSync, mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Mount } from "../disk/mounted-disk.ts";
import { unmountDisk } from "../disk/mounted-disk.ts";

/** Directories of a sandbox that last as long as it does, each by where it is inside. */
const PLACES = { tmp: "/tmp", "var-tmp": "/var/tmp", run: "/run" } as const;

/** A path of the host, and where it belongs inside. */
export type ScratchPlace = { readonly source: string; readonly target: string };

/**
 * What /tmp and the like are made in: memory, `bytes` of it together. CRI cannot ask for a tmpfs, so it is mounted on the
 * host for as long as the start takes.
 */
export function scratchMount(directory: string, bytes: number): Mount {
  return { source: "handrail", target: directory, type: "tmpfs", options: `size=${bytes},mode=0755,nosuid,nodev` };
}

/** Empty directories for /tmp and the like in `directory`. Synchronous: it is in memory. */
export function makeScratch(directory: string, uid: number): readonly ScratchPlace[] {
  const places = Object.entries(PLACES).map(([name, target]) => ({ source: join(directory, name), target }));
  for (const { source } of places) {
    mkdirSync(source);
    chownSync(source, uid, uid);
    chmodSync(source, 0o1777);
  }
  return places;
}

/** An empty directory that stays so, for places that nobody may write to. */
export function makeNothing(directory: string): string {
  const nothing = join(directory, "nothing");
  mkdirSync(nothing, { mode: 0o755 });
  return nothing;
}

/** Removes what a start left, mounted or not. No error when there is nothing. @throws AppError `sandbox_failed` */
export async function removeScratch(directory: string): Promise<void> {
  await unmountDisk(directory);
  await rm(directory, { recursive: true, force: true });
}
