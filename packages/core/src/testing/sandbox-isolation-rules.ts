import type { SandboxProfile } from "@handrail/protocol/sources";

/** Whether a program in a sandbox of that profile can do it. */
export type Answer = "yes" | "no";

/**
 * One line of what profiles allow. The guide has the same lines. `probe` is a shell script that ends with 0 when it
 * could do it; it harms nothing where it can. Within it `ask X86_64 AARCH64 ARGUMENTS…` makes a system call by its
 * number: it fails when the call is refused (EPERM) or does not exist (ENOSYS), whatever else it answers.
 */
export type IsolationRule = { readonly what: string; readonly probe: string } & Readonly<
  Record<SandboxProfile, Answer>
>;

/** Defines `ask` for the probes. */
export const PROBE_PRELUDE = `ask() { perl -e '
  my ($x86, $arm, @rest) = @ARGV;
  chomp(my $machine = \`uname -m\`);
  my $answer = syscall($machine eq "aarch64" ? $arm : $x86, map { $_ + 0 } @rest);
  exit($answer == -1 && ($! == 1 || $! == 38) ? 1 : 0)' "$@"; }
`;

const NEVER = { strict: "no", default: "no", dev: "no" } as const;
const ALWAYS = { strict: "yes", default: "yes", dev: "yes" } as const;
const UNLESS_STRICT = { ...ALWAYS, strict: "no" } as const;
const ONLY_DEV = { ...NEVER, dev: "yes" } as const;

const SCRIPT = "printf '#!/bin/sh\\nexit 0\\n'";

const FILES: readonly IsolationRule[] = [
  { ...ALWAYS, what: "write to the workspace", probe: "echo x > /workspace/probe" },
  { ...ALWAYS, what: "write to its home and to /tmp", probe: "echo x > ~/probe && echo x > /tmp/probe" },
  {
    ...ALWAYS,
    what: "run programs from the workspace and from /tmp",
    probe: `for at in /workspace /tmp; do ${SCRIPT} > $at/run && chmod +x $at/run && $at/run || exit 1; done`,
  },
  {
    ...ONLY_DEV,
    what: "write to the system's files",
    // Nor to the few places of an image that are everybody's: the whole of it cannot be written.
    probe: `echo x > /usr/probe || echo x > /etc/probe || echo '#' >> /etc/passwd || grep -qE '^[^ ]+ / [^ ]+ rw[, ]' /proc/self/mounts`,
  },
  { ...NEVER, what: "change Handrail's programs", probe: "echo x > /handrail/probe || echo >> /handrail/rg" },
  {
    ...NEVER,
    what: "see sockets of the machine's daemons",
    probe: "ls -d /run/docker.sock /var/run/docker.sock /run/containerd/* /run/dbus/* 2>/dev/null | grep -q .",
  },
  {
    ...NEVER,
    what: "see devices of the machine",
    probe:
      "ls /dev | grep -vxE 'console|core|fd|full|mqueue|null|ptmx|pts|random|shm|std(in|out|err)|tty|urandom|zero' | grep -q .",
  },
  { ...NEVER, what: "make devices", probe: "mknod /tmp/device b 7 0" },
];

const RIGHTS: readonly IsolationRule[] = [
  { ...ALWAYS, what: "look up the name of its user", probe: "id -un" },
  { ...ONLY_DEV, what: "be root of the sandbox", probe: '[ "$(id -u)" = 0 ]' },
  {
    ...ONLY_DEV,
    what: "have capabilities (those that an installation takes)",
    probe: "grep -E '^Cap(Inh|Prm|Eff|Bnd|Amb)' /proc/self/status | cut -f2 | grep -qvx 0000000000000000",
  },
  {
    ...NEVER,
    what: "have capabilities over the machine (mounts, networks, other processes, devices, time)",
    // All but CHOWN, DAC_OVERRIDE, FOWNER, FSETID, SETGID, SETUID: bits 0, 1, 3, 4, 6, 7.
    probe:
      "perl -e 'open(F, \"/proc/self/status\"); /^CapBnd:\\s*(\\w+)/ and exit(hex($1) & ~0xdb ? 0 : 1) for <F>; exit 0'",
  },
  {
    ...ONLY_DEV,
    what: "install packages of the system",
    probe: `mkdir -p /tmp/deb/DEBIAN /tmp/deb/opt && echo x > /tmp/deb/opt/probe && chown daemon /tmp/deb/opt/probe &&
      printf 'Package: probe\\nVersion: 1\\nArchitecture: all\\nMaintainer: n <n@n>\\nDescription: probe\\n' > /tmp/deb/DEBIAN/control &&
      dpkg-deb -b /tmp/deb /tmp/probe.deb >/dev/null && dpkg -i /tmp/probe.deb >/dev/null && [ -e /opt/probe ]`,
  },
  {
    ...NEVER,
    what: "gain rights by set-user-ID programs",
    probe: "! grep -q '^NoNewPrivs:.1$' /proc/self/status",
  },
  { ...NEVER, what: "raise its limits", probe: "ulimit -H -n 1000000 || ulimit -H -c 1" },
  { ...NEVER, what: "write files of any size", probe: '[ "$(ulimit -H -f)" = unlimited ]' },
  { ...NEVER, what: "leave core dumps", probe: '[ "$(ulimit -H -c)" != 0 ]' },
];

const KERNEL: readonly IsolationRule[] = [
  { ...ALWAYS, what: "make the system calls that builds and tests need", probe: "ask 39 172" },
  { ...NEVER, what: "make every system call", probe: "! grep -q '^Seccomp:.2$' /proc/self/status" },
  { ...UNLESS_STRICT, what: "debug its own programs (ptrace)", probe: "ask 101 117 0 0 0 0" },
  { ...UNLESS_STRICT, what: "read its own other programs' memory", probe: "ask 310 270 1 0 0 0 0 0" },
  { ...NEVER, what: "make namespaces", probe: "ask 272 97 268435456 || ask 56 220 268435473 0 0 0 0" },
  { ...NEVER, what: "enter namespaces", probe: "ask 308 268 0 0" },
  { ...NEVER, what: "mount file systems", probe: "ask 165 40 0 0 0 0 0 || ask 430 430 0 0 || ask 429 429 0 0 0 0 0" },
  { ...NEVER, what: "unmount file systems", probe: "ask 166 39 0 0" },
  { ...NEVER, what: "change its root directory", probe: "ask 161 51 0 || ask 155 41 0 0" },
  { ...NEVER, what: "use the machine's keyrings", probe: "ask 250 219 0 -3 0 || ask 248 217 0 0 0 0 0" },
  { ...NEVER, what: "load programs into the kernel (bpf)", probe: "ask 321 280 999 0 0" },
  { ...NEVER, what: "measure the kernel (perf)", probe: "ask 298 241 0 0 -1 -1 0" },
  { ...NEVER, what: "handle page faults itself (userfaultfd)", probe: "ask 323 282 -1" },
  { ...NEVER, what: "use io_uring", probe: "ask 425 425 0 0" },
  { ...NEVER, what: "open files by handle", probe: "ask 304 265 -1 0 0" },
  { ...NEVER, what: "take file descriptors of other programs", probe: "ask 438 438 -1 0 0" },
  { ...NEVER, what: "load kernel modules", probe: "ask 313 273 -1 0 0 || ask 175 105 0 0 0" },
  { ...NEVER, what: "start another kernel", probe: "ask 246 104 0 0 0 255 || ask 169 142 0 0 0 0" },
  { ...NEVER, what: "type into other programs' terminals (TIOCSTI)", probe: "ask 16 29 0 21522 0" },
  { ...NEVER, what: "write to /proc/sys", probe: 'f=/proc/sys/kernel/core_pattern; v=$(cat $f); echo "$v" > $f' },
  { ...NEVER, what: "use the magic system request", probe: "echo h > /proc/sysrq-trigger" },
  { ...NEVER, what: "read the machine's memory", probe: "head -q -c 1 /proc/kcore /dev/mem 2>/dev/null | grep -q ." },
  { ...NEVER, what: "write to /sys", probe: "find /sys -maxdepth 4 -type f -writable 2>/dev/null | grep -q ." },
  {
    ...NEVER,
    what: "change control groups",
    probe:
      "find /sys/fs/cgroup -maxdepth 3 -name 'cgroup.*' -writable 2>/dev/null | grep -q . || mkdir /sys/fs/cgroup/*/probe",
  },
  { ...NEVER, what: "see the machine's processes", probe: "grep -q kthreadd /proc/2/comm" },
];

const NETWORK: readonly IsolationRule[] = [
  { ...ALWAYS, what: "use local and IP sockets within the sandbox", probe: "ask 41 198 1 1 0 && ask 41 198 2 1 0" },
  { ...UNLESS_STRICT, what: "ask the kernel about networks (netlink)", probe: "ask 41 198 16 3 0" },
  {
    ...NEVER,
    what: "use other sockets (packets, crypto, virtual machines)",
    probe: "ask 41 198 17 3 0 || ask 41 198 38 5 0 || ask 41 198 40 1 0",
  },
  { ...ALWAYS, what: "find its own loopback by name", probe: `perl -e 'exit !gethostbyname("localhost")'` },
  { ...NEVER, what: "see a network interface", probe: '[ "$(tail -n +3 /proc/net/dev | grep -vc " lo:")" != 0 ]' },
  {
    ...NEVER,
    what: "reach a cloud's metadata address",
    probe: "timeout 2 bash -c 'exec 3<>/dev/tcp/169.254.169.254/80'",
  },
  {
    ...UNLESS_STRICT,
    what: "reach the broker, for what the network rule allows",
    probe: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/3128'",
  },
];

/**
 * What a sandbox gets at most, however much the server allows: the guide's table of limits. Absent: as much as the server
 * allows.
 */
export const ISOLATION_LIMITS: Readonly<
  Record<SandboxProfile, { readonly openFiles: number; readonly processes?: number; readonly cpus?: number }>
> = {
  strict: { openFiles: 1024, processes: 128, cpus: 1 },
  default: { openFiles: 16_384 },
  dev: { openFiles: 16_384 },
};

/** Every line, in the order of the guide. */
export const ISOLATION_RULES: readonly IsolationRule[] = [...FILES, ...RIGHTS, ...KERNEL, ...NETWORK];
