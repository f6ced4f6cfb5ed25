import { createHash } from "node:crypto";
import { join } from "node:path";
import type { SandboxProfile } from "@handrail/protocol/sources";
import { PROFILES } from "../profiles.ts";
import { dockerSeccomp } from "../seccomp/docker-seccomp.ts";
import type { ProgramsVolume } from "./programs-volume.ts";

/** A file that is made of a text and not read from anywhere. */
export type TextFile = { readonly name: string; readonly text: string };

/**
 * Filters of system calls as files. Podman reads a container's filter from a path on its own machine, where Docker takes
 * the text: so they lie beside sandboxd, in a volume that sandboxes can only read.
 */
export const SECCOMP_FILES: readonly TextFile[] = Object.entries(PROFILES).map(([profile, { syscalls }]) => ({
  name: seccompFile(profile as SandboxProfile),
  text: dockerSeccomp(syscalls),
}));

/** Where the daemon's machine has a profile's filter. */
export function seccompPath({ directory }: ProgramsVolume, profile: SandboxProfile): string {
  return join(directory, seccompFile(profile));
}

/** The name of a profile's file, which changes with what is in it. */
function seccompFile(profile: SandboxProfile): string {
  const hash = createHash("sha256").update(dockerSeccomp(PROFILES[profile].syscalls));
  return `seccomp-${profile}-${hash.digest("hex").slice(0, 12)}.json`;
}
