import { refusedCall, type InsideAttack } from "../attack.ts";

const SECCOMP = "the filter of system calls";
const NO_RIGHTS = "no capabilities, and none to be had";

/** Runs machine code for x86-64 and gives what it leaves in EAX, signed. */
const MACHINE_CODE = `
def machine(code):
    held("not this kind of machine") if ARM else None
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
`;

const NAMESPACES: readonly InsideAttack[] = [
  {
    id: "namespace.unshare",
    tries: "become root of a user namespace of its own, and mount there",
    stoppedBy: SECCOMP,
    control: "none",
    script: `
breach("made") if in_child(lambda: call(272, 97, 0x10000000 | 0x20000)[0] == 0) == 0 else held("refused")`,
  },
  {
    id: "namespace.clone",
    tries: "start a process in a user namespace by clone",
    stoppedBy: SECCOMP,
    script: `
got, why = call(56, 220, 0x10000000 | 17, 0, 0, 0, 0)
if got == 0: os._exit(9)
answered((got, why))`,
  },
  {
    id: "namespace.clone3",
    tries: "start a process in a user namespace by clone3, whose flags a filter cannot see",
    stoppedBy: "clone3 answered as if it did not exist",
    control: "none",
    script: `
arguments = ctypes.create_string_buffer(struct.pack("8Q", 0x10000000, 0, 0, 0, 17, 0, 0, 0))
got, why = call(435, 435, arguments, 64)
if got == 0: os._exit(9)
answered((got, why))`,
  },
  {
    id: "namespace.enter",
    tries: "enter namespaces of other processes",
    stoppedBy: SECCOMP,
    script: `
for kind in ("mnt", "pid", "net", "user", "ipc", "uts"):
    try: f = os.open("/proc/1/ns/" + kind, os.O_RDONLY)
    except OSError: continue
    if kind == "user": continue
    if in_child(lambda: call(308, 268, f, 0)[0] == 0) == 0: breach(kind)
held("refused")`,
  },
  {
    id: "namespace.shared",
    tries: "share the host's mounts, processes, network, names or memory segments",
    stoppedBy: "namespaces of its own",
    control: "none",
    script: `
for kind, number in HOST["namespaces"].items():
    if os.readlink("/proc/self/ns/" + kind) == number: breach(kind)
held(", ".join(HOST["namespaces"]))`,
  },
  {
    id: "namespace.old-call-numbers",
    tries: "make namespaces by 32-bit system calls, whose numbers are others",
    stoppedBy: "a filter that knows all kinds of call of the machine",
    script: `${MACHINE_CODE}
def unshare(): # mov eax, 310; mov ebx, CLONE_NEWUSER; int 0x80
    return machine(b"\\x53\\xb8\\x36\\x01\\x00\\x00\\xbb\\x00\\x00\\x00\\x10\\xcd\\x80\\x5b\\xc3") == 0
breach("made") if in_child(unshare) == 0 else held("refused")`,
  },
  {
    id: "namespace.x32",
    tries: "make namespaces by x32 system calls, which have a bit more",
    stoppedBy: "a filter that knows all kinds of call of the machine",
    script: `
breach("made") if in_child(lambda: call(0x40000000 + 272, 97, 0x10000000)[0] == 0) == 0 else held("refused")`,
  },
];

const RIGHTS: readonly InsideAttack[] = [
  {
    id: "rights.any-process",
    tries: "find a process in its reach that has more rights than itself",
    stoppedBy: "no capabilities, no new privileges and a filter in every process of a sandbox",
    control: "none",
    script: `
for pid in pids():
    status = dict(line.split(":\\t", 1) for line in read("/proc/%d/status" % pid).decode().splitlines() if ":\\t" in line)
    if not status: continue
    for name in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb"):
        if int(status[name], 16): breach("%s: %s %s" % (status["Name"], name, status[name]))
    if status["NoNewPrivs"] != "1" or status["Seccomp"] != "2": breach("%s: no filter" % status["Name"])
    if "0" in status["Uid"].split(): breach("%s: root" % status["Name"])
held("%d processes" % len(pids()))`,
    dev: {
      may: "be root, with the six capabilities of installations",
      tries: "find a process in its reach that has more rights than root of the sandbox",
      script: `
for pid in pids():
    status = dict(line.split(":\\t", 1) for line in read("/proc/%d/status" % pid).decode().splitlines() if ":\\t" in line)
    if not status: continue
    for name in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb"):
        if int(status[name], 16) & ~0xdb: breach("%s: %s %s" % (status["Name"], name, status[name]))
    if status["NoNewPrivs"] != "1" or status["Seccomp"] != "2": breach("%s: no filter" % status["Name"])
held("%d processes" % len(pids()))`,
    },
  },
  {
    id: "rights.setuid-program",
    tries: "become root by a set-user-ID program",
    stoppedBy: "no new privileges",
    control: "none",
    script: `
breach("new privileges are possible") if libc.prctl(39, 0, 0, 0, 0) != 1 else None
for name in ("su", "mount", "passwd", "newgrp", "chsh"):
    for path in glob.glob("/usr/bin/" + name):
        if os.stat(path).st_mode & stat.S_ISUID:
            child = subprocess.run([path, "--version"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
held("prctl says so")`,
  },
  {
    id: "rights.become-root",
    tries: "become root by asking for it",
    stoppedBy: NO_RIGHTS,
    control: "none",
    script: `
def root():
    os.setgroups([0]); os.setresgid(0, 0, 0); os.setresuid(0, 0, 0)
    return os.getuid() == 0
breach("root") if in_child(root) == 0 else held("refused")`,
    dev: {
      may: "be root, and become any user",
      tries: "get all capabilities as root, and again after it was somebody else",
      script: `
def more():
    os.setresuid(1000, 1000, 0); os.setresuid(0, 0, 0)
    header, data = struct.pack("Ii", 0x20080522, 0), struct.pack("6I", 0xffffffff, 0xffffffff, 0, 0x1ff, 0x1ff, 0)
    return call(126, 91, header, data)[0] == 0 or int(read("/proc/self/status").split(b"CapEff:\\t")[1][:16], 16) & ~0xdb
breach("capabilities") if in_child(more) == 0 else held("refused")`,
    },
  },
  {
    id: "rights.file-capability",
    tries: "give a program of its own capabilities",
    stoppedBy: NO_RIGHTS,
    control: "none",
    script: `
path = "/tmp/attack-capability-%d" % os.getpid()
open(path, "w").close()
value = struct.pack("<5I", 0x02000001, 0xffffffff, 0, 0, 0)
why = fails(lambda: os.setxattr(path, "security.capability", value))
os.unlink(path)
held(why) if why in REFUSED + ("ENOTSUP",) else breach(why)`,
  },
  {
    id: "rights.memory-program",
    tries: "run a program that is nowhere but in memory, without the sandbox's filter",
    stoppedBy: "a filter that children keep",
    control: "none",
    script: `
f = os.memfd_create("attack", 0)
os.write(f, read(os.path.realpath("/bin/sh"), 10_000_000))
said = subprocess.run(["sh", "-c", "grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status"], executable="/proc/self/fd/%d" % f, pass_fds=[f], capture_output=True).stdout.split()
held("filtered") if said == [b"NoNewPrivs:", b"1", b"Seccomp:", b"2"] else breach(said)`,
  },
  {
    id: "rights.limits",
    tries: "raise its own limits of open files and core dumps",
    stoppedBy: NO_RIGHTS,
    script: `
for what in (resource.RLIMIT_NOFILE, resource.RLIMIT_CORE):
    soft, hard = resource.getrlimit(what)
    if hard == resource.RLIM_INFINITY: breach("no limit")
    try: resource.setrlimit(what, (hard + 1, hard + 1))
    except (OSError, ValueError): continue
    breach(what)
held("refused")`,
  },
  {
    id: "rights.priority",
    tries: "go before all others: nice, real-time scheduling, never being ended for memory",
    stoppedBy: NO_RIGHTS,
    script: `
if fails(lambda: os.setpriority(os.PRIO_PROCESS, 0, -20)) is None: breach("nice")
if fails(lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))) is None: breach("real time")
def never():
    with open("/proc/self/oom_score_adj", "w") as f: f.write("-1000")
if fails(never) is None: breach("oom_score_adj")
held("refused")`,
  },
  {
    id: "rights.trace-parent",
    tries: "take over the sandbox's first process with ptrace, and through it the host",
    stoppedBy: "a first process that has no more rights than its children",
    script: `
status = read("/proc/1/status").decode()
got, why = call(101, 117, 16, 1, 0, 0)
outside = SECRET.encode() in read("/proc/1/root" + CANARY)
if outside or "Seccomp:\\t2" not in status or "CapEff:\\t0000000000000000" not in status: breach("the first process has more rights")
held("%s, and nothing to gain" % why)`,
    dev: {
      may: "be root, as the first process is",
      tries: "take over the sandbox's first process with ptrace, and through it the host",
      script: `
status = dict(line.split(":\\t", 1) for line in read("/proc/1/status").decode().splitlines() if ":\\t" in line)
got, why = call(101, 117, 16, 1, 0, 0)
outside = SECRET.encode() in read("/proc/1/root" + CANARY)
if outside or status["Seccomp"] != "2" or int(status["CapEff"], 16) & ~0xdb: breach("the first process has more rights")
held("%s, and nothing to gain" % why)`,
    },
  },
];

const single = (id: string, tries: string, script: string, control?: "none"): InsideAttack => ({
  id: `kernel.${id}`,
  tries,
  stoppedBy: SECCOMP,
  script,
  ...(control === undefined ? {} : { control }),
});

const CALLS: readonly InsideAttack[] = [
  single(
    "keyring",
    "read keys of the machine's keyrings, which know no namespaces",
    refusedCall(250, 219, "0", "-3", "0"),
  ),
  single(
    "add-key",
    "put keys into the machine's keyrings",
    refusedCall(248, 217, 'b"user"', 'b"attack"', 'b"x"', "1", "-1"),
  ),
  single(
    "bpf",
    "load a program into the kernel",
    refusedCall(321, 280, "0", "bytes([1,0,0,0,4,0,0,0,4,0,0,0,1,0,0,0]) + bytes(112)", "128"),
  ),
  single(
    "perf",
    "measure the kernel and other programs",
    refusedCall(298, 241, "bytes([1,0,0,0,112]) + bytes(107)", "0", "-1", "-1", "0"),
  ),
  single("userfaultfd", "hold the kernel up at page faults", refusedCall(323, 282, "0"), "none"),
  single(
    "io-uring",
    "go around the filter by io_uring",
    refusedCall(425, 425, "4", "ctypes.create_string_buffer(120)"),
  ),
  single("kexec", "load another kernel", refusedCall(246, 104, "0", "0", "0", "0")),
  single("module", "load a kernel module", refusedCall(313, 273, "-1", 'b""', "0")),
  single("reboot", "restart the machine", refusedCall(169, 142, "0", "0", "0", "0")),
  single("swap", "turn swap on, to get around the limit of memory", refusedCall(167, 224, 'b"/tmp/nothing"', "0")),
  single("clock", "set the machine's clock", refusedCall(227, 112, "0", 'struct.pack("qq", 0, 0)')),
  single(
    "log",
    "read the kernel's log",
    refusedCall(103, 116, "3", "ctypes.create_string_buffer(4096)", "4096"),
    "none",
  ),
  single("take-descriptor", "take open files of other programs (pidfd_getfd)", refusedCall(438, 438, "-1", "0", "0")),
  single("accounting", "have the kernel write a file for it (acct)", refusedCall(163, 89, 'b"/tmp/nothing"')),
  single("quota", "change quotas of the machine's disks", refusedCall(179, 60, "0x800002", 'b"/dev/null"', "0", "0")),
  single(
    "hostname",
    "rename the machine",
    `answered(call(170, 161, b"attack", 6)) if os.readlink("/proc/self/ns/uts") != HOST["namespaces"]["uts"] else breach("not tried: the host's")`,
  ),
  single(
    "type-ahead",
    "type into the terminal that it was started from (TIOCSTI)",
    `
master, slave = os.openpty()
try: fcntl.ioctl(slave, 0x5412, b"x")
except OSError as e: held(errno.errorcode[e.errno]) if e.errno in (errno.EPERM, errno.EACCES, errno.ENOSYS) else breach(e)
breach("typed")`,
  ),
  single(
    "vm-socket",
    "talk to the hypervisor or its neighbours over AF_VSOCK",
    `attempt(lambda: socket.socket(40, socket.SOCK_STREAM), "EPERM", "EACCES", "EAFNOSUPPORT", "ENOSYS")`,
  ),
  single(
    "crypto-socket",
    "use the kernel's crypto sockets, which have had holes",
    `attempt(lambda: socket.socket(38, 5), "EPERM", "EACCES", "EAFNOSUPPORT", "ENOSYS")`,
  ),
];

/** Ways out by namespaces, rights and single system calls. */
export const KERNEL_ATTACKS: readonly InsideAttack[] = [...NAMESPACES, ...RIGHTS, ...CALLS];
