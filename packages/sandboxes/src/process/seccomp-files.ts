import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SandboxProfile } from "@handrail/protocol/sources";
import { PROFILES } from "../profiles.ts";
import { seccompFilter } from "../seccomp/seccomp-filter.ts";
import { syscallTable } from "../seccomp/syscall-table.ts";

/** Where the filter of a profile lies in the directory of filters. */
export function seccompFile(directory: string, profile: SandboxProfile): string {
  return join(directory, `${profile}.bpf`);
}

/** Writes each profile's filter of system calls for this machine. @throws AppError `backend_unavailable` */
export async function writeSeccompFiles(directory: string): Promise<void> {
  const table = syscallTable(process.arch);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const profiles = Object.entries(PROFILES) as [SandboxProfile, (typeof PROFILES)[SandboxProfile]][];
  await Promise.all(
    profiles.map(([profile, rules]) =>
      writeFile(seccompFile(directory, profile), seccompFilter(rules.syscalls, table), { mode: 0o600 }),
    ),
  );
}
