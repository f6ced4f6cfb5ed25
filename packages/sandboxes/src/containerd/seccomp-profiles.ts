import { randomUUID } from "node:crypto";
import { access, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { SandboxProfile } from "@handrail/protocol/sources";
import { once } from "../once.ts";
import { type Surroundings, syscallsOf } from "../profiles.ts";
import { dockerSeccomp } from "../seccomp/docker-seccomp.ts";
import { POD_SYSCALLS, type SyscallPolicy } from "../seccomp/syscall-policy.ts";
import { tryEach } from "../try-each.ts";

/** Filters of system calls as files for the runtime to read. */
export type SeccompProfiles = {
  /** A profile's by its path. */
  readonly fileOf: (profile: SandboxProfile, around: Omit<Surroundings, "processor">) => Promise<string>;
  /** That of what holds a pod's namespaces. */
  readonly podFile: () => Promise<string>;
  /** Removes what servers were writing that were killed; what this one writes stays. */
  readonly tidy: () => Promise<void>;
};

const UNFINISHED = ".part";

/**
 * Filters in Docker's form, each written into `directory` at its first use, and again when it is gone. Sandboxes that are
 * started at the same time may each ask for it, as may several servers.
 */
export function seccompProfiles(directory: string): SeccompProfiles {
  const written = new Map<string, () => Promise<void>>();
  const writing = new Set<string>();
  const writeWhole = async (path: string, text: string) => {
    const unfinished = `${basename(path)}.${randomUUID()}${UNFINISHED}`;
    writing.add(unfinished);
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await writeFile(join(directory, unfinished), text, { mode: 0o600 });
      await rename(join(directory, unfinished), path);
    } finally {
      writing.delete(unfinished);
    }
  };
  const named = async (name: string, policy: () => SyscallPolicy) => {
    const path = join(directory, `${name}.json`);
    const write = () => writeWhole(path, dockerSeccomp(policy()));
    const first = written.get(path) ?? once(write);
    written.set(path, first);
    await first();
    if (!(await isThere(path))) await write();
    return path;
  };
  return {
    fileOf: (profile, around) => {
      const kinds = [around.containers === true ? "-containers" : "", around.shared ? "-shared" : ""];
      return named(`${profile}${kinds.join("")}`, () => syscallsOf(profile, { ...around, processor: process.arch }));
    },
    podFile: () => named("pod", () => POD_SYSCALLS),
    tidy: async () => {
      const names = await readdir(directory).catch(() => []);
      await tryEach(
        names.filter((name) => name.endsWith(UNFINISHED) && !writing.has(name)),
        (name) => rm(join(directory, name), { force: true }),
      );
    },
  };
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
