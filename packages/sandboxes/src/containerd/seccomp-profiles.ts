import { randomUUID } from "node:crypto";
import { access, mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SandboxProfile } from "@handrail/protocol/sources";
import { once } from "../once.ts";
import { syscallsOf } from "../profiles.ts";
import { dockerSeccomp } from "../seccomp/docker-seccomp.ts";

/** A profile's filter of system calls as a file for the runtime to read, by its path; `containers` as for `syscallsOf`. */
export type SeccompFile = (profile: SandboxProfile, containers?: boolean) => Promise<string>;

/**
 * Filters in Docker's form, each written into `directory` at its first use, and again when it is gone. Sandboxes that are
 * started at the same time may each ask for it, as may several servers.
 */
export function seccompProfiles(directory: string): SeccompFile {
  const written = new Map<string, () => Promise<void>>();
  return async (profile, containers = false) => {
    const path = join(directory, `${profile}${containers ? "-containers" : ""}.json`);
    const write = () => writeWhole(path, dockerSeccomp(syscallsOf(profile, containers)));
    const first = written.get(path) ?? once(write);
    written.set(path, first);
    await first();
    if (!(await isThere(path))) await write();
    return path;
  };
}

async function writeWhole(path: string, text: string): Promise<void> {
  const unfinished = `${path}.${randomUUID()}.part`;
  await mkdir(join(path, ".."), { recursive: true, mode: 0o700 });
  await writeFile(unfinished, text, { mode: 0o600 });
  await rename(unfinished, path);
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
