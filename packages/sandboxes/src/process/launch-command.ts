import { join, relative } from "node:path";
import type { Bubblewrap } from "./bubblewrap.ts";
import { type Bind, type Mounts, starterMounts } from "../local/sandbox-mounts.ts";
import type { SandboxLimits } from "../limits.ts";
import { bubblewrapArguments, limitArguments, mountArguments } from "./bubblewrap-arguments.ts";
import type { OwnUsers } from "./own-users.ts";
import { asOwnRoot, withOwnUsers } from "./own-users.ts";
import { SECCOMP_FD, shell } from "./shell.ts";
import { MOUNT_OPTIONS } from "../disk/workspace-disk.ts";
import { type ServedFiles, withServedFiles } from "./served-files.ts";

/** A file system in a file, and where it is mounted. */
export type MountedDisk = { readonly image: string; readonly target: string };

export type Launch = {
  readonly bubblewrap: Bubblewrap;
  /** The host's own places. */
  readonly system: Mounts;
  /** Mounts from anywhere on the host. */
  readonly own: readonly Bind[];
  readonly limits: SandboxLimits;
  readonly environment: Readonly<Record<string, string>>;
  /** The user of the host that runs the sandbox when the server is root; undefined: the server's own user. */
  readonly uid: number | undefined;
  /** The file with the filter of system calls; undefined: none. */
  readonly seccompFile: string | undefined;
  /** What bounds the workspace, which is mounted before the rest; undefined: nothing. */
  readonly bounded: MountedDisk | ServedFiles | undefined;
  /** Makes programs root of a root file system of their own, whose disk `disk` is; undefined: they are a plain user. */
  readonly ownUsers?: OwnUsers | undefined;
  /** Files that take the id of a process to put it into a control group. */
  readonly cgroupFiles: readonly string[];
  /** Program and arguments, as seen inside. */
  readonly command: readonly string[];
};

/**
 * Unmounts the workspaces that were mounted on the host when this mount namespace was made: it would hold them until its
 * end where the host's mounts do not propagate.
 */
export const LET_GO = `while read -r device at rest; do
case "$device $at" in "/dev/loop"*"/disk") umount --lazy "$at";; esac
done < /proc/self/mounts`;

/** Mounts the file system `$1` at `$2`, in a mount namespace of its own. */
const MOUNT = `${LET_GO}
mount -t ext4 -o ${MOUNT_OPTIONS} "$1" "$2" || exit 98; shift 2; exec "$@"`;

/** Puts itself into the control groups named before `--`. */
const ENTER = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 97; shift; done; shift';

/** Opens the filter where bwrap is told to read it. */
const FILTER = `exec ${SECCOMP_FD}<"$1" || exit 99; shift`;

const BECOME = 'exec "$@"';

/** Lets a plain user listen at all ports of this network namespace, which is no other's. */
const LOW_PORTS = 'echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start; exec "$@"';

/** The host's own. */
const KERNEL_MOUNTS = ["/proc", "/dev"].flatMap((path) => ["--dev-bind", path, path]);

/** The whole command line that starts a sandbox on the host. */
export function launchCommand(launch: Launch): readonly string[] {
  const { bounded, ownUsers, seccompFile } = launch;
  const command = launch.uid === undefined ? boxed(launch, launch.own) : unprivileged(launch, launch.uid);
  const furnished = ownUsers === undefined ? command : withOwnUsers(ownUsers, command);
  const mounted = bounded === undefined ? furnished : withMount(bounded, furnished);
  const filtered = seccompFile === undefined ? mounted : [seccompFile, ...mounted];
  const script = [ENTER, ...(seccompFile === undefined ? [] : [FILTER]), BECOME].join("; ");
  // Groups first of all, so that it is found from its first instant, also by a server after one that was killed.
  return shell(script, [...launch.cgroupFiles, "--", ...filtered]);
}

function withMount(bounded: MountedDisk | ServedFiles, command: readonly string[]): readonly string[] {
  if ("program" in bounded) return withServedFiles(bounded, command);
  const alone = ["unshare", "--mount", "--propagation", "slave", "--"];
  return [...alone, ...shell(MOUNT, [bounded.image, bounded.target, ...command])];
}

function boxed(launch: Launch, own: readonly Bind[]): readonly string[] {
  const mounts = { links: launch.system.links, binds: [...launch.system.binds, ...own] };
  // Without control groups the memory of each process is bounded on its own.
  const heapBytes = launch.cgroupFiles.length > 0 ? undefined : launch.limits.memoryBytes;
  const seccompFd = launch.seccompFile === undefined ? undefined : SECCOMP_FD;
  return [
    "bwrap",
    ...bubblewrapArguments({ ...launch, mounts, seccompFd, hasNetwork: launch.uid !== undefined }),
    "prlimit",
    ...limitArguments(launch.limits, heapBytes),
    ...launch.command,
  ];
}

const outermost = ({ among, source }: Bind) => among ?? source;

/**
 * As root the sandbox belongs to a user of its own: root within a user namespace is still the owner of much in /proc.
 * That user cannot reach what lies in a directory of root's, so root mounts it where all can pass, in a mount namespace.
 * The network namespace is root's too, so that nobody inside has a say in it. Of the host's mounts only those are there
 * that the rest takes: bwrap looks at each mount below what it binds, and fails when one goes away meanwhile.
 */
function unprivileged(launch: Launch, uid: number): readonly string[] {
  // What lies together is mounted once: each mount looks at all that are there.
  const sources = [...new Set(launch.own.map(outermost))];
  const placeOf = (bind: Bind) => `/tmp/${sources.indexOf(outermost(bind))}`;
  const staged = launch.own.map((bind) => ({
    ...bind,
    source: join(placeOf(bind), relative(outermost(bind), bind.source)),
  }));
  const stage = new Map(
    launch.own.map((bind) => [outermost(bind), { ...bind, source: outermost(bind), target: placeOf(bind) }]),
  );
  const box = boxed(launch, staged);
  const user = [`--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "--inh-caps=-all", "--no-new-privs", "--"];
  return [
    "bwrap",
    "--unshare-net",
    ...mountArguments(starterMounts()),
    ...KERNEL_MOUNTS,
    "--tmpfs",
    "/tmp",
    ...mountArguments({ links: [], binds: [...stage.values()] }),
    "--",
    ...shell(LOW_PORTS, []),
    ...(launch.ownUsers === undefined ? ["setpriv", ...user, ...box] : asOwnRoot(box)),
  ];
}
