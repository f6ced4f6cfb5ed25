import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SandboxProfile } from "@handrail/protocol/sources";
import { syscallsOf } from "../profiles.ts";
import { seccompFilter } from "../seccomp/seccomp-filter.ts";
import { syscallTable } from "../seccomp/syscall-table.ts";

/** Where the filter of a profile lies in the directory of filters; `shared` as for `syscallsOf`. */
export function seccompFile(directory: string, profile: SandboxProfile, shared: boolean): string {
  return join(directory, `${profile}${shared ? "-shared" : ""}.bpf`);
}

/**
 * Writes each profile's filters of system calls for this machine; `containers` as for `syscallsOf`.
 * @throws AppError `backend_unavailable`
 */
export async function writeSeccompFiles(directory: string, containers = false): Promise<void> {
  const table = syscallTable(process.arch);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const write = (profile: SandboxProfile, shared: boolean) => {
    const filter = seccompFilter(syscallsOf(profile, { containers, shared, processor: process.arch }), table);
    return writeFile(seccompFile(directory, profile, shared), filter, { mode: 0o600 });
  };
  await Promise.all(SandboxProfile.options.flatMap((profile) => [write(profile, false), write(profile, true)]));
}
