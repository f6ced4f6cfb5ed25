import { createHash } from "node:crypto";
import { join } from "node:path";
import { SandboxProfile } from "@handrail/protocol/sources";
import { type Surroundings, syscallsOf } from "../profiles.ts";
import { dockerSeccomp } from "../seccomp/docker-seccomp.ts";
import type { ProgramsVolume } from "./programs-volume.ts";

/** A file that is made of a text and not read from anywhere. */
export type TextFile = { readonly name: string; readonly text: string };

/**
 * Filters of system calls as files. Podman reads a container's filter from a path on its own machine, where Docker takes
 * the text: so they lie beside sandboxd, in a volume that sandboxes can only read.
 */
export const SECCOMP_FILES: readonly TextFile[] = SandboxProfile.options.flatMap((profile) =>
  ["x64", "arm64"].flatMap((processor) => [false, true].map((shared) => seccompFile(profile, { shared, processor }))),
);

/** Where the daemon's machine has a profile's filter. */
export function seccompPath({ directory }: ProgramsVolume, profile: SandboxProfile, around: Surroundings): string {
  return join(directory, seccompFile(profile, around).name);
}

/** A profile's file, whose name changes with what is in it. */
function seccompFile(profile: SandboxProfile, { shared, processor }: Surroundings): TextFile {
  const text = dockerSeccomp(syscallsOf(profile, { shared, processor }));
  const hash = createHash("sha256").update(text).digest("hex");
  return { name: `seccomp-${profile}-${hash.slice(0, 12)}.json`, text };
}
