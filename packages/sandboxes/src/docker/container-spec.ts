import type { SandboxProfile } from "@handrail/protocol/sources";
import type { SandboxLimits } from "../limits.ts";
import {
  EGRESS_PORT,
  IDLE_EXIT,
  INSIDE,
  keepFree,
  PROXY_ENVIRONMENT,
  sandboxEnvironment,
  sharedPlaces,
} from "../sandbox-environment.ts";
import { sandboxdEnvironment } from "../link-token.ts";
import { INSTALLING_CAPABILITIES, PROFILES } from "../profiles.ts";
import { MASKED_PATHS, READONLY_PATHS } from "../kernel-places.ts";
import { type Mount, type MountedWish, bindOfDaemon, mountsOf, volume } from "./container-mounts.ts";
import type { ContainerSpec, DaemonInfo } from "./docker-shapes.ts";

/** Where sandboxd listens, seen from inside: a name that no program can take while sandboxd lives. */
export const SOCKET_INSIDE = "@handrail-sandboxd";

export type ContainerWish = MountedWish & {
  readonly daemon: Pick<DaemonInfo, "product" | "missingLimits">;
  readonly imageId: string;
  /** Paths that the image calls volumes. */
  readonly imageVolumes: readonly string[];
  readonly profile: SandboxProfile;
  /** The user and group that everything in it runs as, whether or not the image knows them. */
  readonly uid: number;
  /** The OCI runtime, by the daemon's name for it; undefined: the daemon's choice. */
  readonly runtime: string | undefined;
  /** Whether programs that are root of it may make containers. The runtime gives it a kernel of its own then. */
  readonly containers: boolean;
  /** The filter of system calls: as text for Docker, as a path on its machine for Podman. */
  readonly seccomp: string;
  readonly limits: SandboxLimits;
  readonly labels: Readonly<Record<string, string>>;
  /** What who connects to sandboxd has to say. */
  readonly token: string;
};

/**
 * The container of a sandbox: no network, no new privileges, limits on everything, and a filter of system calls that
 * refuses no less than Docker's own. Unless its profile makes it root: no capabilities, a user whom the machine does not
 * know, and a root file system that cannot be written. Of the host nothing is mounted but what is the conversation's own:
 * its disk, where it has one, and what names its user.
 */
export function sandboxContainer(wish: ContainerWish): ContainerSpec {
  const { network } = PROFILES[wish.profile];
  const mounts = mountsOf(wish);
  const environment = {
    ...sandboxEnvironment(INSIDE.home),
    ...(network ? PROXY_ENVIRONMENT : {}),
    ...sandboxdEnvironment(wish.token),
  };
  return {
    Image: wish.imageId,
    Hostname: "sandbox",
    User: `${wish.uid}:${wish.uid}`,
    Entrypoint: [`${INSIDE.programs}/sandboxd`],
    Cmd: serveArguments(network, sharedBy(wish)),
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    WorkingDir: INSIDE.workspace,
    NetworkDisabled: wish.hostsFile !== undefined,
    OpenStdin: true,
    StdinOnce: true,
    // It takes no other: a program inside could send it, too.
    StopSignal: "SIGKILL",
    Labels: wish.labels,
    HostConfig: { ...hardening, ...privileges(wish), ...limitsOf(wish), Tmpfs: memoryOf(wish, mounts), Mounts: mounts },
  };
}

/** A container that is never started: files are put through it into what is mounted in it. */
export function carrierContainer(
  imageId: string,
  labels: Readonly<Record<string, string>>,
  mounts: readonly object[],
): ContainerSpec {
  return {
    Image: imageId,
    Entrypoint: ["/never-started"],
    Cmd: [],
    Labels: labels,
    HostConfig: { NetworkMode: "none", Mounts: mounts },
  };
}

/** Volumes by where they are mounted. The making of a container makes those that are not there, with these labels. */
export function carriedVolumes(
  labels: Readonly<Record<string, string>>,
  mounts: Readonly<Record<string, string>>,
): readonly object[] {
  return Object.entries(mounts).map(([target, source]) => ({
    Type: "volume",
    Source: source,
    Target: target,
    VolumeOptions: { NoCopy: true, Labels: labels },
  }));
}

/** Where a probe has the directory that it is to look at. */
export const SEEN = "/seen";

/** What a probe has beside our programs. */
export type ProbeWish = {
  /** Undefined: the daemon's choice. */
  readonly runtime?: string;
  /** A directory of the daemon's machine. */
  readonly seen?: string;
  /** A volume in which it is root, who may give files away and become their owner, and ask the kernel whatever it likes. */
  readonly owned?: string;
};

/** A container that runs one of our own programs to its end, with nothing of the image's but its files. */
export function probeContainer(
  probe: ProbeWish & {
    readonly imageId: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly programs: string;
    readonly argv: readonly string[];
  },
): ContainerSpec {
  const mounts = [
    { ...volume(probe.programs, INSIDE.programs), ReadOnly: true },
    ...(probe.seen === undefined ? [] : [bindOfDaemon(probe.seen, SEEN)]),
    ...(probe.owned === undefined ? [] : [volume(probe.owned, SEEN)]),
  ];
  const bounds = { Memory: 256 * 1024 ** 2, PidsLimit: 64, ReadonlyRootfs: true, SecurityOpt: ["no-new-privileges"] };
  const runtime = probe.runtime === undefined ? {} : { Runtime: probe.runtime };
  return {
    Image: probe.imageId,
    User: probe.owned === undefined ? "65534:65534" : "0:0",
    Entrypoint: probe.argv.slice(0, 1),
    Cmd: probe.argv.slice(1),
    Labels: probe.labels,
    HostConfig: {
      ...hardening,
      ...bounds,
      ...runtime,
      ...(probe.owned === undefined ? {} : OWNING),
      Mounts: mounts,
    },
  };
}

/** Docker's filter refuses `quotactl_fd`, and so may SELinux. */
const OWNING = {
  CapAdd: ["CHOWN", "SETUID"],
  SecurityOpt: ["no-new-privileges", "seccomp=unconfined", "label=disable"],
};

/** What of a container shares the daemon's disk with others: a root file system that can be written does. */
export function sharedBy({ profile, storage }: Pick<ContainerWish, "profile" | "storage">): readonly string[] {
  return sharedPlaces({ disk: storage.type === "bind", root: !PROFILES[profile].root });
}

function serveArguments(network: boolean, shared: readonly string[]): string[] {
  const egress = network ? ["--egress-port", String(EGRESS_PORT), "--transparent"] : [];
  const places = ["--workspace", INSIDE.workspace, "--state", INSIDE.state];
  const listen = ["--listen", `unix:${SOCKET_INSIDE}`];
  return ["serve", "--stdio", ...IDLE_EXIT, ...keepFree(shared), ...places, ...listen, ...egress];
}

/** What holds for every container that runs: no network, no capabilities, and nothing of it is kept. */
export const hardening = {
  NetworkMode: "none",
  CapDrop: ["ALL"],
  Privileged: false,
  IpcMode: "private",
  // sandboxd is process 1, which the kernel lets no program inside end.
  Init: false,
  RestartPolicy: { Name: "no" },
  // What it prints are frames for the server that attached to it; there is no use in the daemon keeping them.
  LogConfig: { Type: "none", Config: {} },
} as const;

/** Docker's own lists leave root more to read and to write. */
const hidden = { MaskedPaths: MASKED_PATHS, ReadonlyPaths: READONLY_PATHS } as const;

function privileges({
  daemon,
  profile,
  uid,
  seccomp,
  runtime,
  containers,
}: ContainerWish): Readonly<Record<string, unknown>> {
  const { root } = PROFILES[profile];
  return {
    ...(runtime === undefined ? {} : { Runtime: runtime }),
    // Others have the image's own settings, by which sandboxd is asked for names. Podman takes none without a network.
    ...(root && daemon.product === "Docker" ? { Dns: ["127.0.0.1"], ...hidden } : {}),
    SecurityOpt: ["no-new-privileges", `seccomp=${seccomp}`],
    CapAdd: root && uid === 0 ? (containers ? ["ALL"] : INSTALLING_CAPABILITIES) : [],
    ReadonlyRootfs: !root,
  };
}

function limitsOf({ daemon, uid, limits }: ContainerWish): Readonly<Record<string, unknown>> {
  return {
    Memory: limits.memoryBytes,
    // Memory and swap together: no swap.
    MemorySwap: limits.memoryBytes,
    NanoCpus: Math.round(limits.cpus * 1e9),
    PidsLimit: limits.processes,
    Ulimits: [
      { Name: "nofile", Soft: limits.openFiles, Hard: limits.openFiles },
      { Name: "fsize", Soft: limits.fileBytes, Hard: limits.fileBytes },
      { Name: "core", Soft: 0, Hard: 0 },
      ...(boundsUser(daemon, uid) ? [{ Name: "nproc", Soft: limits.processes, Hard: limits.processes }] : []),
    ],
  };
}

/** What is in memory, by where it is: also nothing, at places that an image calls volumes. */
function memoryOf({ daemon, uid, profile, limits, imageVolumes }: ContainerWish, mounts: readonly Mount[]) {
  const others = imageVolumes.filter(
    (path) => !PROFILES[profile].root && mounts.every(({ Target }) => Target !== path),
  );
  const copy = daemon.product === "Podman" ? ",notmpcopyup" : "";
  const nothing = `ro,noexec,nosuid,nodev,size=4k,mode=755${copy}`;
  return {
    ...Object.fromEntries(others.map((path) => [path, nothing])),
    "/tmp": `rw,exec,nosuid,nodev,size=${limits.tmpBytes},mode=1777`,
    "/run": `rw,noexec,nosuid,nodev,size=16m,mode=1777${ownerOfRun(daemon, uid)}`,
  };
}

/**
 * Older runtimes give it the mode that the image's directory has, 755, in place of the one that is asked for: then its
 * owner is who may write to it. Podman takes no number: `U` is the container's user.
 */
function ownerOfRun({ product }: ContainerWish["daemon"], uid: number): string {
  return product === "Docker" ? `,uid=${uid},gid=${uid}` : ",U";
}

/**
 * Whether the user's processes are counted. Each sandbox is a user of its own, so that bounds one where control groups do
 * not; the daemon's own user must not be bound by it. Podman would raise the number as far as it goes, which root without
 * CAP_SYS_RESOURCE may not.
 */
function boundsUser({ product, missingLimits }: ContainerWish["daemon"], uid: number): boolean {
  return product === "Podman" || (missingLimits.includes("processes") && uid !== 0);
}
