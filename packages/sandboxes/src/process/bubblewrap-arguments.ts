import type { SandboxLimits } from "../limits.ts";
import { INSIDE, SANDBOX_UID } from "../sandbox-environment.ts";
import type { Bubblewrap } from "./bubblewrap.ts";
import type { Mounts } from "./sandbox-mounts.ts";

const USER = ["--uid", String(SANDBOX_UID), "--gid", String(SANDBOX_UID)];
const ISOLATION = [
  "--unshare-user",
  "--unshare-all",
  "--new-session",
  // sandboxd is process 1, which the kernel lets no program inside end.
  "--as-pid-1",
  "--cap-drop",
  "ALL",
  "--hostname",
  "sandbox",
  ...USER,
];
const KERNEL_MOUNTS = ["--proc", "/proc", "--dev", "/dev"];
const START = ["--remount-ro", "/", "--chdir", INSIDE.workspace];

export type Box = {
  readonly bubblewrap: Bubblewrap;
  readonly mounts: Mounts;
  readonly limits: SandboxLimits;
  readonly environment: Readonly<Record<string, string>>;
  /** The open file that holds the filter of system calls; undefined: none. */
  readonly seccompFd: number | undefined;
};

/**
 * Arguments of bwrap for a sandbox: namespaces of its own for everything, network included, no capabilities, a session
 * of its own, a filter of system calls, and only the mounts that are listed. The command follows them.
 */
export function bubblewrapArguments(box: Box): string[] {
  return [
    ...ISOLATION,
    ...(box.bubblewrap.disablesNamespaces ? ["--disable-userns"] : []),
    ...box.mounts.links.flatMap((link) => ["--symlink", link.text, link.target]),
    ...box.mounts.binds.flatMap((bind) => [bindOption(bind), bind.source, bind.target]),
    ...KERNEL_MOUNTS,
    ...memoryDirectory(box, "/tmp", box.limits.tmpBytes),
    ...memoryDirectory(box, "/var/tmp", box.limits.tmpBytes),
    ...memoryDirectory(box, "/run", 16 * 1024 * 1024),
    ...memoryDirectory(box, "/dev/shm", 64 * 1024 * 1024),
    ...START,
    ...(box.seccompFd === undefined ? [] : ["--seccomp", String(box.seccompFd)]),
    ...Object.entries(box.environment).flatMap(([name, value]) => ["--setenv", name, value]),
    "--",
  ];
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

function bindOption(bind: Mounts["binds"][number]): string {
  return (bind.write ? "--bind" : "--ro-bind") + (bind.optional ? "-try" : "");
}

function memoryDirectory(box: Box, path: string, bytes: number): string[] {
  const sized = box.bubblewrap.sizes ? ["--size", String(bytes), "--perms", "1777"] : [];
  return [...sized, "--tmpfs", path];
}
