import type { SandboxLimits } from "../limits.ts";
import { INSTALLING_CAPABILITIES } from "../profiles.ts";
import { INSIDE, SANDBOX_UID } from "../sandbox-environment.ts";
import type { Bubblewrap } from "./bubblewrap.ts";
import type { OwnUsers } from "./own-users.ts";
import type { Mounts } from "../local/sandbox-mounts.ts";

const ISOLATION = [
  "--new-session",
  // sandboxd is process 1, which the kernel lets no program inside end.
  "--as-pid-1",
  "--cap-drop",
  "ALL",
  "--hostname",
  "sandbox",
];
const PLAIN_USER = ["--unshare-user", "--uid", String(SANDBOX_UID), "--gid", String(SANDBOX_UID)];
const NAMESPACES = ["ipc", "pid", "uts", "cgroup-try"].map((kind) => `--unshare-${kind}`);
/** What mapping root into a namespace of one's own takes, which a container has. Source: user_namespaces(7) */
const CONTAINING_CAPABILITY = "SETFCAP";
const KERNEL_MOUNTS = ["--proc", "/proc", "--dev", "/dev"];

export type Box = {
  readonly bubblewrap: Bubblewrap;
  readonly mounts: Mounts;
  readonly limits: SandboxLimits;
  readonly environment: Readonly<Record<string, string>>;
  /** The open file that holds the filter of system calls; undefined: none. */
  readonly seccompFd: number | undefined;
  /** Whether the network namespace in which bwrap is started is the sandbox's own. */
  readonly hasNetwork: boolean;
  /** Where programs are root, of the user namespace that bwrap is started in and of a root file system of their own. */
  readonly ownUsers?: Pick<OwnUsers, "containers"> | undefined;
};

/**
 * Arguments of bwrap for a sandbox: namespaces of its own for everything, network included, no capabilities unless it is
 * root, a session of its own, a filter of system calls, and only the mounts that are listed. The command follows them.
 */
export function bubblewrapArguments(box: Box): string[] {
  const { ownUsers } = box;
  return [
    ...ISOLATION,
    ...NAMESPACES,
    ...(box.hasNetwork ? [] : ["--unshare-net"]),
    ...(ownUsers === undefined ? PLAIN_USER : rootArguments(ownUsers)),
    ...(box.bubblewrap.disablesNamespaces && ownUsers === undefined ? ["--disable-userns"] : []),
    ...mountArguments(box.mounts),
    ...KERNEL_MOUNTS,
    ...memoryDirectory(box, "/tmp", box.limits.tmpBytes),
    ...memoryDirectory(box, "/var/tmp", box.limits.tmpBytes),
    ...memoryDirectory(box, "/run", 16 * 1024 * 1024),
    ...memoryDirectory(box, "/dev/shm", 64 * 1024 * 1024),
    // Programs that make containers want to see a directory in memory there.
    ...(ownUsers?.containers === true ? memoryDirectory(box, "/sys/fs/cgroup", 1024 * 1024) : []),
    ...(ownUsers === undefined ? ["--remount-ro", "/"] : []),
    "--chdir",
    INSIDE.workspace,
    ...(box.seccompFd === undefined ? [] : ["--seccomp", String(box.seccompFd)]),
    ...Object.entries(box.environment).flatMap(([name, value]) => ["--setenv", name, value]),
    "--",
    ...(ownUsers === undefined ? [] : bounded(ownUsers)),
  ];
}

/** In the user namespace that bwrap is started in. `SETPCAP` goes with the bounding set. */
function rootArguments(ownUsers: Pick<OwnUsers, "containers">): readonly string[] {
  return [...capabilitiesOf(ownUsers), "SETPCAP"].flatMap((name) => ["--cap-add", `CAP_${name}`]);
}

/** Takes from root all capabilities for good but those that it may have. */
function bounded(ownUsers: Pick<OwnUsers, "containers">): readonly string[] {
  const kept = capabilitiesOf(ownUsers).map((name) => `+${name.toLowerCase()}`);
  return ["setpriv", `--bounding-set=-all,${kept.join(",")}`, "--inh-caps=-all", "--ambient-caps=-all", "--"];
}

function capabilitiesOf({ containers }: Pick<OwnUsers, "containers">): readonly string[] {
  return containers ? [...INSTALLING_CAPABILITIES, CONTAINING_CAPABILITY] : INSTALLING_CAPABILITIES;
}

/**
 * Arguments of prlimit that keep a program and all that it starts within the limits. `heapBytes`, when given, bounds
 * the private memory of each process on its own.
 */
export function limitArguments(limits: SandboxLimits, heapBytes: number | undefined): string[] {
  return [
    `--nproc=${limits.processes}`,
    `--nofile=${limits.openFiles}`,
    `--fsize=${limits.fileBytes}`,
    "--core=0",
    ...(heapBytes === undefined ? [] : [`--data=${heapBytes}`]),
    "--",
  ];
}

/** Arguments of bwrap that make links and mounts, in their order. */
export function mountArguments({ links, binds }: Mounts): string[] {
  return [
    ...links.flatMap((link) => ["--symlink", link.text, link.target]),
    ...binds.flatMap((bind) => [bindOption(bind), bind.source, bind.target]),
  ];
}

function bindOption(bind: Mounts["binds"][number]): string {
  return (bind.write ? "--bind" : "--ro-bind") + (bind.optional ? "-try" : "");
}

function memoryDirectory(box: Box, path: string, bytes: number): string[] {
  const sized = box.bubblewrap.sizes ? ["--size", String(bytes), "--perms", "1777"] : [];
  return [...sized, "--tmpfs", path];
}
