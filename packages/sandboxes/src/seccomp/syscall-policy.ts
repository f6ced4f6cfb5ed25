/** When a call is allowed, by its argument number `argument` (its low 32 bits). */
export type Condition = {
  readonly call: string;
  readonly argument: number;
  readonly allowed: { readonly oneOf: readonly number[] } | { readonly withoutBits: number } | { readonly not: number };
};

/** What programs in a sandbox may ask of the kernel: all that it knows, save what is named here. */
export type SyscallPolicy = {
  /** Answered with EPERM. */
  readonly refused: readonly string[];
  /** Answered with ENOSYS, so that the caller uses an older call whose arguments can be looked at. */
  readonly unknown: readonly string[];
  /** Allowed under a condition, else EPERM. */
  readonly conditions: readonly Condition[];
};

/** New namespaces of any kind. Source: linux/sched.h, CLONE_NEW* */
const NAMESPACES = 0x7e02_0000;
/** Types a key into somebody else's terminal. Source: asm-generic/ioctls.h */
const TIOCSTI = 0x5412;
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
  { call: "ioctl", argument: 1, allowed: { not: TIOCSTI } },
  // Limits of other processes are also sandboxd's. Which of its threads is meant cannot be told.
  { call: "prlimit64", argument: 0, allowed: { oneOf: [0] } },
  ...["sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler"].map(notFirst(0)),
  ...["setpriority", "ioprio_set"].map(notFirst(1)),
  { call: "personality", argument: 0, allowed: { oneOf: PERSONALITIES } },
];

/** Allowed on all but the first process, which is sandboxd. The argument is a process's number. */
function notFirst(argument: number): (call: string) => Condition {
  return (call) => ({ call, argument, allowed: { not: 1 } });
}

/** What builds and tests do not need. Refused at least what Docker refuses a container without capabilities. */
export const USUAL_SYSCALLS: SyscallPolicy = {
  refused: Object.values(REFUSED).flatMap(words),
  unknown: ["clone3"],
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

function sockets(families: readonly number[]): Condition {
  return { call: "socket", argument: 0, allowed: { oneOf: families } };
}

function words(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => line.split(" "));
}
