import type { Duplex } from "node:stream";
import type { SandboxChoice, SandboxProfile } from "@handrail/protocol/sources";
import type { SandboxLimits } from "./limits.ts";
import type { SyscallPolicy } from "./seccomp/syscall-policy.ts";
import { CONTAINING_SYSCALLS, STRICT_SYSCALLS, USUAL_SYSCALLS, withoutReserving } from "./seccomp/syscall-policy.ts";

/** What one profile lets programs in a sandbox do. The guide's table of profiles says the same for people. */
export type ProfileRules = {
  /** Whether there is a way to the broker, and with it to what the conversation's network rule allows. */
  readonly network: boolean;
  /** Whether programs run as root of the sandbox, who may install packages. Takes a root file system of its own. */
  readonly root: boolean;
  readonly syscalls: SyscallPolicy;
  /** The most that a sandbox gets, however much the server allows. */
  readonly most: Partial<SandboxLimits>;
};

const MIB = 1024 ** 2;

export const PROFILES: Readonly<Record<SandboxProfile, ProfileRules>> = {
  strict: {
    network: false,
    root: false,
    syscalls: STRICT_SYSCALLS,
    most: {
      memoryBytes: 1024 * MIB,
      cpus: 1,
      processes: 128,
      tmpBytes: 128 * MIB,
      openFiles: 1024,
      diskBytes: 2048 * MIB,
    },
  },
  default: { network: true, root: false, syscalls: USUAL_SYSCALLS, most: {} },
  dev: { network: true, root: true, syscalls: USUAL_SYSCALLS, most: {} },
};

const PROFILE_NAMES = Object.keys(PROFILES) as SandboxProfile[];

/** The profiles that can be had where sandboxes are kept in. `root`: whether those too whose programs are root. */
export function profilesHad({ root }: { readonly root: boolean }): readonly SandboxProfile[] {
  return PROFILE_NAMES.filter((name) => root || !PROFILES[name].root);
}

/** What a package's installation needs of root: to own and to write every file, and to become the package's user. */
export const INSTALLING_CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETGID", "SETUID"] as const;

export type Surroundings = {
  /** Whether programs that are root of the sandbox may make containers in it. Default: no. */
  readonly containers?: boolean | undefined;
  /** Whether it writes to a disk that others share, with nothing that bounds it. */
  readonly shared: boolean;
  /** The processor of the machine that it is on, as Node names it. */
  readonly processor: string;
};

/** The system calls of a profile. */
export function syscallsOf(
  profile: SandboxProfile,
  { containers = false, shared, processor }: Surroundings,
): SyscallPolicy {
  const { root, syscalls } = PROFILES[profile];
  const policy = root && containers ? CONTAINING_SYSCALLS : syscalls;
  return shared ? withoutReserving(policy, processor) : policy;
}

export function profileOf(choice: SandboxChoice): SandboxProfile {
  return choice.profile ?? "default";
}

/** The way out of a sandbox, shut where its profile has none. */
export function egressUnder(profile: SandboxProfile, egress: (stream: Duplex) => void): (stream: Duplex) => void {
  return PROFILES[profile].network ? egress : (stream) => stream.destroy();
}

/**
 * Each limit, lowered to what the profile gives at most. What is in /tmp and /var/tmp counts as memory: full, they must
 * leave enough for sandboxd.
 */
export function limitsUnder(profile: SandboxProfile, limits: SandboxLimits): SandboxLimits {
  const most = Object.entries(PROFILES[profile].most) as [keyof SandboxLimits, number][];
  const lowered = most.map(([name, value]) => [name, Math.min(limits[name], value)] as const);
  const under: SandboxLimits = { ...limits, ...Object.fromEntries(lowered) };
  return { ...under, tmpBytes: Math.min(under.tmpBytes, Math.floor(under.memoryBytes / 4)) };
}
