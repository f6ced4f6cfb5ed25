import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SandboxProfile } from "@handrail/protocol/sources";
import { syscallsOf } from "../profiles.ts";
import { seccompFilter } from "../seccomp/seccomp-filter.ts";
import { syscallTable } from "../seccomp/syscall-table.ts";

/** Where the filter of a profile lies in the directory of filters. */
export function seccompFile(directory: string, profile: SandboxProfile): string {
  return join(directory, `${profile}.bpf`);
}

/**
 * Writes each profile's filter of system calls for this machine; `containers` as for `syscallsOf`.
 * @throws AppError `backend_unavailable`
 */
export async function writeSeccompFiles(directory: string, containers = false): Promise<void> {
  const table = syscallTable(process.arch);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const write = (profile: SandboxProfile) => {
    const filter = seccompFilter(syscallsOf(profile, containers), table);
    return writeFile(seccompFile(directory, profile), filter, { mode: 0o600 });
  };
  await Promise.all(SandboxProfile.options.map(write));
}
