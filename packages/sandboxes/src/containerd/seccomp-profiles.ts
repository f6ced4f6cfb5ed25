import { randomUUID } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SandboxProfile } from "@handrail/protocol/sources";
import { syscallsOf } from "../profiles.ts";
import { dockerSeccomp } from "../seccomp/docker-seccomp.ts";

/**
 * Writes a profile's filter of system calls for the runtime to read, which takes Docker's form; `containers` as for
 * `syscallsOf`. Gives the path. Sandboxes that are started at the same time may each write it.
 */
export async function writeSeccompProfile(
  directory: string,
  profile: SandboxProfile,
  containers = false,
): Promise<string> {
  const path = join(directory, `${profile}${containers ? "-containers" : ""}.json`);
  const unfinished = `${path}.${randomUUID()}.part`;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(unfinished, dockerSeccomp(syscallsOf(profile, containers)), { mode: 0o600 });
  await rename(unfinished, path);
  return path;
}
