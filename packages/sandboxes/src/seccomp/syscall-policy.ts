import { type Bits, exactly } from "./all-but.ts";

/** When a call is allowed, by its argument number `argument` (its low 32 bits). */
export type Condition = {
  readonly call: string;
  readonly argument: number;
  readonly allowed:
    | { readonly oneOf: readonly number[] }
    | { readonly withoutBits: number }
    | { readonly noneOf: readonly Bits[] };
  /** Only where another argument is this number; else the call is allowed. */
  readonly when?: { readonly argument: number; readonly is: number };
  /** What it is answered with else. Default EPERM. */
  readonly otherwise?: "EINVAL";
  /**
   * Of one number that is refused: a filter that compares 64 bits may let others pass that mean it. To list all but those
   * takes dozens of rules, with which the runtime makes the filter in twice the time, at every start.
   */
  readonly roughly?: boolean;
};

/** What programs in a sandbox may ask of the kernel: all that it knows, save what is named here. */
export type SyscallPolicy = {
  /** Answered with EPERM. */
  readonly refused: readonly string[];
  /** Answered with ENOSYS, so that the caller uses an older call whose arguments can be looked at. */
  readonly unknown: readonly string[];
  /** Answered with EOPNOTSUPP, as on a file system that has no such thing. */
  readonly unsupported: readonly string[];
  /** Allowed under a condition. Each is of another call. */
  readonly conditions: readonly Condition[];
};

/** New namespaces of any kind. Source: linux/sched.h, CLONE_NEW* */
const NAMESPACES = 0x7e02_0000;
/** Types a key into somebody else's terminal. Source: asm-generic/ioctls.h */
const TIOCSTI = 0x5412;
/**
 * Pages of two megabytes in memory, of which a file has as many: the first byte that is written to one takes space for it
 * all. Source: asm-generic/mman-common.h
 */
const LARGE_PAGES = { asked: 14, made: 25 } as const;
/** Source: asm/fcntl.h */
const O_DIRECT: ReadonlyMap<string, number> = new Map([
  ["x64", 0x4000],
  ["arm64", 0x1_0000],
]);
const F_SETFL = 4;
/**
 * Requests of the type `X`: XFS's own, of which every file system knows those that reserve space. With one of them XFS
 * takes a gigabyte for each byte written. Source: linux/falloc.h, xfs/xfs_fs.h
 */
const XFS_REQUESTS: Bits = { mask: 0xff00, value: 0x5800 };
/** Linux, with and without fixed addresses, 32-bit, and the question. Source: linux/personality.h */
const PERSONALITIES = [0, 0x0008, 0x2_0000, 0x2_0008, 0x4_0000, 0x4_0008, 0xffff_ffff];
/** Source: linux/socket.h */
const FAMILY = { unix: 1, inet: 2, inet6: 10, netlink: 16 } as const;

/** What programs make containers with, in user namespaces of their own. */
const CONTAINING = {
  mounting: ["mount mount_setattr move_mount open_tree fsopen fsconfig fsmount fspick umount2 pivot_root chroot"],
  namespaces: ["setns unshare sethostname setdomainname"],
};

const REFUSED: Readonly<Record<string, readonly string[]>> = {
  ...CONTAINING,
  "the machine's disks": ["quotactl quotactl_fd swapon swapoff"],
  "keys, which are one store for the whole machine": ["add_key keyctl request_key"],
  "looking into the kernel": ["bpf perf_event_open lookup_dcookie syslog fanotify_init kcmp"],
  "parts of the kernel in which holes are found often": ["userfaultfd io_uring_setup io_uring_enter io_uring_register"],
  "files past their directories": ["open_by_handle_at"],
  "other processes' files and memory": ["pidfd_getfd process_madvise move_pages migrate_pages"],
  "the machine itself": [
    "init_module finit_module delete_module kexec_load kexec_file_load reboot acct iopl ioperm vhangup",
    "settimeofday clock_settime",
  ],
  "memory of single nodes": ["mbind get_mempolicy set_mempolicy set_mempolicy_home_node"],
  "calls of old": [
    "uselib ustat sysfs _sysctl create_module get_kernel_syms query_module nfsservctl getpmsg putpmsg afs_syscall",
    "tuxcall security vserver",
  ],
};

const CONDITIONS: readonly Condition[] = [
  { call: "clone", argument: 0, allowed: { withoutBits: NAMESPACES } },
  { call: "ioctl", argument: 1, allowed: { noneOf: [exactly(TIOCSTI)] } },
  // Limits of other processes are also sandboxd's. Which of its threads is meant cannot be told.
  { call: "prlimit64", argument: 0, allowed: { oneOf: [0] } },
  ...["sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler"].map(notFirst(0)),
  ...["setpriority", "ioprio_set"].map(notFirst(1)),
  { call: "personality", argument: 0, allowed: { oneOf: PERSONALITIES } },
];

/**
 * Allowed on all but the first process, which is sandboxd. The argument is a process's number. Who gets around it slows down
 * his own sandbox.
 */
function notFirst(argument: number): (call: string) => Condition {
  return (call) => ({ call, argument, allowed: { noneOf: [exactly(1)] }, roughly: true });
}

/** What builds and tests do not need. Refused at least what Docker refuses a container without capabilities. */
export const USUAL_SYSCALLS: SyscallPolicy = {
  refused: Object.values(REFUSED).flatMap(words),
  unknown: ["clone3"],
  unsupported: [],
  conditions: [...CONDITIONS, sockets(Object.values(FAMILY))],
};

/** What programs need that make containers inside the sandbox, such as Podman: a wider way into the kernel. */
export const CONTAINING_SYSCALLS: SyscallPolicy = {
  ...USUAL_SYSCALLS,
  refused: USUAL_SYSCALLS.refused.filter((name) => !Object.values(CONTAINING).flatMap(words).includes(name)),
  conditions: USUAL_SYSCALLS.conditions.filter(({ call }) => call !== "clone"),
};

/** Besides: no look into other programs, no memory hidden from the kernel, no sockets but local and plain ones. */
export const STRICT_SYSCALLS: SyscallPolicy = {
  ...USUAL_SYSCALLS,
  refused: [
    ...USUAL_SYSCALLS.refused,
    ...words(["ptrace process_vm_readv process_vm_writev memfd_secret modify_ldt name_to_handle_at"]),
  ],
  conditions: [...CONDITIONS, sockets([FAMILY.unix, FAMILY.inet, FAMILY.inet6])],
};

/**
 * What holds a pod's namespaces does nothing at all, so it needs none of what others have under conditions. It is the
 * conditions that the runtime's library takes long for. Threads are of the program that becomes it.
 */
export const POD_SYSCALLS: SyscallPolicy = {
  ...STRICT_SYSCALLS,
  refused: [...STRICT_SYSCALLS.refused, ...STRICT_SYSCALLS.conditions.map(({ call }) => call).filter(isNoThread)],
  conditions: STRICT_SYSCALLS.conditions.filter(({ call }) => !isNoThread(call)),
};

function isNoThread(call: string): boolean {
  return call !== "clone";
}

/**
 * The policy of a sandbox that writes to a disk which others share, on a machine with this processor: besides, nothing
 * takes space of it before it is written, and no write goes on when its program has ended. Programs that ask for that
 * write as others do, which takes time, in which sandboxd sees how much is left: nobody slows it down.
 */
export function withoutReserving(policy: SyscallPolicy, processor: string): SyscallPolicy {
  const noRequests = (condition: Condition): Condition =>
    condition.call === "ioctl" && "noneOf" in condition.allowed
      ? { ...condition, allowed: { noneOf: [...condition.allowed.noneOf, XFS_REQUESTS] } }
      : { ...condition, roughly: false };
  return {
    ...policy,
    unknown: [...policy.unknown, "openat2"],
    unsupported: [...policy.unsupported, "fallocate"],
    conditions: [
      ...policy.conditions.map(noRequests),
      { call: "madvise", argument: 2, allowed: { noneOf: Object.values(LARGE_PAGES).map(exactly) } },
      ...directWrites(O_DIRECT.get(processor) ?? 0),
    ],
  };
}

/** Writes past the kernel's memory, of two gigabytes each: they go on to their end. */
function directWrites(flag: number): readonly Condition[] {
  const without = { allowed: { withoutBits: flag }, otherwise: "EINVAL" } as const;
  return [
    { call: "open", argument: 1, ...without },
    { call: "openat", argument: 2, ...without },
    { call: "fcntl", argument: 2, when: { argument: 1, is: F_SETFL }, ...without },
  ];
}

function sockets(families: readonly number[]): Condition {
  return { call: "socket", argument: 0, allowed: { oneOf: families } };
}

function words(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => line.split(" "));
}
