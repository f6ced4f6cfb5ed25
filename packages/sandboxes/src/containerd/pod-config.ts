import { basename, dirname } from "node:path";
import type { SandboxLimits } from "../limits.ts";
import type { LocalStart } from "../local/local-backend.ts";
import { SANDBOXD_LOG } from "../local/launch-sandboxd.ts";
import { ETC_NAMES, NETWORK_ETC_NAMES } from "../local/etc-files.ts";
import { etcMounts, ownMounts } from "../local/sandbox-mounts.ts";
import { sandboxdEnvironment } from "../link-token.ts";
import { INSTALLING_CAPABILITIES, PROFILES } from "../profiles.ts";
import { serveCommand } from "../local/serve-command.ts";
import { INSIDE, PROXY_ENVIRONMENT, sandboxEnvironment, sharedPlaces } from "../sandbox-environment.ts";
import { POD_IDS } from "../sandbox-user.ts";
import type { ContainerConfig, CriMount, Labels, NamespaceOptions, PodConfig } from "./cri-shapes.ts";
import type { RootFence } from "./root-fence.ts";
import type { ScratchPlace } from "./scratch.ts";
import { MASKED_PATHS, READONLY_PATHS } from "../kernel-places.ts";

/** `nobody`: the process that holds the namespaces must not be the sandbox's to change. */
const PAUSE_UID = 65_534;

/** sandboxd is process 1 of its container, which the kernel lets no program inside end. */
const NAMESPACES = { network: "POD", pid: "CONTAINER", ipc: "POD" } as const;
const SECCOMP = { profileType: "RuntimeDefault" } as const;
const CPU_PERIOD_US = 100_000;
const PROBE_BYTES = 256 * 1024 ** 2;

/**
 * Writes to the file `$0`, takes on the limits `$1` to `$3`, and becomes the rest. CRI has no such limits; what the
 * runtime itself may not exceed stays as it is. Bash calls the number of processes `-u`, other shells `-p`; it is
 * counted for each user of the host, and each sandbox is one of its own, so it bounds the sandbox as a whole. A file's
 * size is in blocks of 512 bytes (POSIX.1-2024, `ulimit`).
 */
const WITH_LIMITS = [
  'exec >"$0" 2>&1',
  "processes=$1 files=$2 blocks=$3",
  "shift 3",
  "ulimit -c 0",
  'ulimit -n "$files" 2>/dev/null',
  'ulimit -f "$blocks" 2>/dev/null',
  'ulimit -u "$processes" 2>/dev/null || ulimit -p "$processes" || exit 96',
  'exec "$@"',
].join("\n");

export type PodWish = {
  readonly name: string;
  readonly sandboxId: string;
  readonly labels: Labels;
  /** The user of the host that its root is, in a user namespace of its own; undefined: it has none. */
  readonly firstId?: number | undefined;
  /** The filter of system calls of what holds the namespaces. */
  readonly seccompFile: string;
};

/** The pod of a sandbox: namespaces of its own, held by a process that can do nothing. */
export function podConfig({ name, sandboxId, labels, firstId, seccompFile }: PodWish): PodConfig {
  return {
    metadata: { name, uid: sandboxId, namespace: "handrail" },
    hostname: "sandbox",
    labels,
    linux: {
      securityContext: {
        namespaceOptions: namespacesFrom(firstId),
        runAsUser: { value: PAUSE_UID },
        runAsGroup: { value: PAUSE_UID },
        readonlyRootfs: true,
        // The runtime's own filter for three kinds of processors takes 12 ms to compile, and allows more.
        seccomp: { profileType: "Localhost", localhostRef: seccompFile },
      },
      // A plain user may listen at all ports of the pod's own network namespace, as in Docker's.
      sysctls: { "net.ipv4.ip_unprivileged_port_start": "0" },
    },
  };
}

/** Runtimes take one range only, and root, all users of an image and nobody are in it. */
function namespacesFrom(firstId: number | undefined): NamespaceOptions {
  if (firstId === undefined) return NAMESPACES;
  const ids = [{ hostId: firstId, containerId: 0, length: POD_IDS }];
  return { ...NAMESPACES, usernsOptions: { mode: "POD", uids: ids, gids: ids } };
}

export type ContainerWish = {
  readonly start: LocalStart;
  readonly image: string;
  /** Paths that the image calls volumes. */
  readonly imageVolumes: readonly string[];
  /** The user of the host that programs are, or their root. */
  readonly uid: number;
  /** What holds programs that are root; undefined: they are a plain user. */
  readonly fence: RootFence | undefined;
  /** Whether programs that are root of a kernel of their own may make containers. */
  readonly containers: boolean;
  readonly limits: SandboxLimits;
  readonly labels: Labels;
  /** The folder with the programs `sandboxd` and `rg`. */
  readonly programs: string;
  /** Holds the sandbox's own /etc/passwd and the like. */
  readonly etcDirectory: string;
  /** The profile's filter of system calls. */
  readonly seccompFile: string;
  /** Where the host has /tmp and the like. */
  readonly scratch: readonly ScratchPlace[];
  /** An empty directory of the host. */
  readonly nothing: string;
  /** Where the host has workspace and state. */
  readonly files: { readonly workspace: string; readonly state: string };
  /** Whether the host has control groups of version 2 only. */
  readonly unifiedCgroups: boolean;
};

/**
 * The container of a sandbox: no new privileges, limits on everything, and its profile's filter of system calls. Unless
 * it is root within a fence: no capabilities, a user of its own, and a root file system that cannot be written.
 */
export function containerConfig(wish: ContainerWish): ContainerConfig {
  const { start, limits } = wish;
  const { network } = PROFILES[start.record.profile];
  const environment = {
    ...sandboxEnvironment(INSIDE.home),
    ...(network ? PROXY_ENVIRONMENT : {}),
    ...sandboxdEnvironment(start.record.token),
  };
  return {
    metadata: { name: "sandbox" },
    image: { image: wish.image, userSpecifiedImage: wish.image },
    command: commandOf(wish, network),
    workingDir: INSIDE.workspace,
    envs: Object.entries(environment).map(([key, value]) => ({
      key,
      value,
    })),
    mounts: mountsOf(wish),
    labels: wish.labels,
    linux: {
      resources: resourcesOf(limits, wish.unifiedCgroups),
      securityContext: {
        ...hardening,
        ...rightsOf(wish),
        seccomp: { profileType: "Localhost", localhostRef: wish.seccompFile },
      },
    },
  };
}

/** A container that runs one of our own programs to its end. */
export function probeConfig(probe: {
  readonly image: string;
  readonly labels: Labels;
  readonly programs: string;
  readonly command: readonly string[];
}): ContainerConfig {
  return {
    metadata: { name: "probe" },
    image: { image: probe.image, userSpecifiedImage: probe.image },
    command: probe.command,
    workingDir: "/",
    envs: [],
    mounts: [{ hostPath: probe.programs, containerPath: INSIDE.programs, readonly: true }],
    labels: probe.labels,
    linux: {
      resources: { memoryLimitInBytes: PROBE_BYTES, memorySwapLimitInBytes: PROBE_BYTES },
      securityContext: { ...hardening, ...plainUser(PAUSE_UID), seccomp: SECCOMP },
    },
  };
}

/** What Docker and its like take, besides. Named one by one: "ALL" is what the machine knows, and another kernel may not. */
const CONTAINING_CAPABILITIES = [
  "AUDIT_WRITE",
  "DAC_READ_SEARCH",
  "KILL",
  "MKNOD",
  "NET_ADMIN",
  "NET_BIND_SERVICE",
  "NET_RAW",
  "SETFCAP",
  "SETPCAP",
  "SYS_ADMIN",
  "SYS_CHROOT",
  "SYS_PTRACE",
  "SYS_RESOURCE",
] as const;

const hardening = { noNewPrivs: true, maskedPaths: MASKED_PATHS, readonlyPaths: READONLY_PATHS } as const;

type Rights = Pick<
  ContainerConfig["linux"]["securityContext"],
  "capabilities" | "namespaceOptions" | "runAsUser" | "runAsGroup" | "readonlyRootfs"
>;

function rightsOf({ uid, fence, containers }: ContainerWish): Rights {
  if (fence === undefined) return plainUser(uid);
  const added = containers && fence.by === "kernel" ? CONTAINING_CAPABILITIES : [];
  return {
    capabilities: { addCapabilities: [...INSTALLING_CAPABILITIES, ...added], dropCapabilities: ["ALL"] },
    namespaceOptions: namespacesFrom(fence.by === "users" ? uid : undefined),
    runAsUser: { value: 0 },
    runAsGroup: { value: 0 },
    readonlyRootfs: false,
  };
}

function plainUser(uid: number): Rights {
  return {
    capabilities: { addCapabilities: [], dropCapabilities: ["ALL"] },
    namespaceOptions: NAMESPACES,
    runAsUser: { value: uid },
    runAsGroup: { value: uid },
    readonlyRootfs: true,
  };
}

/** What of a pod shares a disk with others: a root file system that can be written is on the runtime's. */
export function sharedBy({ start, files, fence }: Pick<ContainerWish, "start" | "files" | "fence">): readonly string[] {
  return sharedPlaces({ disk: files.workspace !== start.place.workspace, root: fence === undefined });
}

function commandOf(wish: ContainerWish, network: boolean): readonly string[] {
  const { limits } = wish;
  const { socketPath, record } = wish.start;
  const ulimits = [limits.processes, limits.openFiles, Math.floor(limits.fileBytes / 512)].map(String);
  const log = `${INSIDE.state}/${SANDBOXD_LOG}`;
  const serve = serveCommand({
    sandboxId: record.sandboxId,
    socket: basename(socketPath),
    network,
    shared: sharedBy(wish),
  });
  return ["sh", "-c", WITH_LIMITS, log, ...ulimits, ...serve];
}

function mountsOf(wish: ContainerWish): readonly CriMount[] {
  const own = ownMountsOf(wish);
  if (wish.fence !== undefined) return own;
  // The runtime would make directories of the host for them, which can be written.
  const taken = new Set(own.map(({ containerPath }) => containerPath));
  const volumes = wish.imageVolumes.filter((path) => !taken.has(path));
  return [...own, ...volumes.map((path) => ({ hostPath: wish.nothing, containerPath: path, readonly: true }))];
}

function ownMountsOf({ start, files, fence, programs, etcDirectory, scratch }: ContainerWish): readonly CriMount[] {
  const places = { ...files, programs, link: dirname(start.socketPath) };
  // Who is root keeps users and groups of its own.
  const names = fence === undefined ? ETC_NAMES : NETWORK_ETC_NAMES;
  const binds = [...ownMounts(places), ...etcMounts(etcDirectory, names)];
  return [
    ...binds.map(({ source, target, write }) => ({ hostPath: source, containerPath: target, readonly: !write })),
    ...scratch.map(({ source, target }) => ({ hostPath: source, containerPath: target, readonly: false })),
  ];
}

/** Version 2 takes the number of processes as well; version 1 leaves it to the user's limit. */
function resourcesOf(limits: SandboxLimits, unified: boolean): ContainerConfig["linux"]["resources"] {
  return {
    memoryLimitInBytes: limits.memoryBytes,
    // Memory and swap together: no swap.
    memorySwapLimitInBytes: limits.memoryBytes,
    cpuPeriod: CPU_PERIOD_US,
    cpuQuota: Math.round(limits.cpus * CPU_PERIOD_US),
    ...(unified && { unified: { "pids.max": String(limits.processes) } }),
  };
}
