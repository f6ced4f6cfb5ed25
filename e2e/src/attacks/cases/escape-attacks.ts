import { refusedCall, type InsideAttack } from "../attack.ts";

const SECCOMP = "the filter of system calls";
const NO_RIGHTS = "no capabilities, and none to be had";
const OWN_VIEW = "mounts and processes of its own";

const MOUNTS: readonly InsideAttack[] = [
  {
    id: "escape.mount",
    tries: "mount a file system of its own over a path",
    stoppedBy: `${SECCOMP}; ${NO_RIGHTS}`,
    control: "none",
    script: `
os.makedirs("/tmp/attack-mount", exist_ok=True)
got = call(165, 40, b"none", b"/tmp/attack-mount", b"tmpfs", 0, 0)
if got[0] == 0: call(166, 39, b"/tmp/attack-mount", 0)
answered(got)`,
  },
  {
    id: "escape.remount",
    tries: "make the read-only root file system writable",
    stoppedBy: `${SECCOMP}; ${NO_RIGHTS}`,
    script: refusedCall(165, 40, 'b"none"', 'b"/"', "0", "0x1020", "0"),
  },
  {
    id: "escape.new-mount-calls",
    tries: "mount by the newer system calls (fsopen, open_tree, move_mount)",
    stoppedBy: SECCOMP,
    control: "none",
    script: `
for numbers in ((430, b"tmpfs", 0), (428, -100, b"/", 1), (433, -100, b"/", 0)):
    got, why = call(numbers[0], *numbers)
    if got != -1 or why not in REFUSED: breach("%d: %s %s" % (numbers[0], got, why))
held(why)`,
  },
  {
    id: "escape.unmask",
    tries: "take away what hides parts of /proc",
    stoppedBy: SECCOMP,
    script: `
for path in (b"/proc/kcore", b"/proc/keys", b"/proc", b"/sys"):
    got, why = call(166, 39, path, 2)
    if got != -1 or why not in REFUSED: breach("%s: %s" % (path, why))
held(why)`,
  },
  {
    id: "escape.pivot-root",
    tries: "swap its root directory for another",
    stoppedBy: SECCOMP,
    script: refusedCall(155, 41, 'b"/tmp"', 'b"/tmp"'),
  },
  {
    id: "escape.chroot",
    tries: "break out by a root directory within its root directory",
    stoppedBy: SECCOMP,
    control: "none",
    script: `
breach("chroot") if in_child(lambda: call(161, 51, b"/tmp")[0] == 0) == 0 else held("refused")`,
  },
  {
    id: "escape.host-root",
    tries: "reach the host's files through the root, working directory or open files of any process",
    stoppedBy: OWN_VIEW,
    control: "none",
    script: `
up = "/.." * 20
for pid in pids():
    ways = ["/proc/%d/root" % pid, "/proc/%d/cwd%s" % (pid, up)]
    try: ways += ["/proc/%d/fd/%s%s" % (pid, fd, up) for fd in os.listdir("/proc/%d/fd" % pid)]
    except OSError: pass
    for way in ways:
        if SECRET.encode() in read(way + CANARY): breach(way)
held("%d processes" % len(pids()))`,
  },
  {
    id: "escape.overwrite-program",
    tries: "write to Handrail's programs through /proc/PID/exe, as CVE-2019-5736 does",
    stoppedBy: "programs mounted read-only",
    script: `
seen = 0
for pid in pids():
    path = "/proc/%d/exe" % pid
    try: target = os.readlink(path)
    except OSError: continue
    seen += 1
    why = fails(lambda: os.close(os.open(path, os.O_WRONLY)))
    if why is None: breach(target)
    if target.startswith("/handrail") and why not in ("EROFS", "EACCES", "ETXTBSY"): breach(why)
    why = fails(lambda: os.unlink("/handrail/sandboxd"))
    if why not in ("EROFS", "EACCES"): breach("unlink %s" % why)
held("%d programs" % seen)`,
  },
  {
    id: "escape.open-by-handle",
    tries: "open the host's files by their numbers, as Shocker does",
    stoppedBy: `${SECCOMP}; ${NO_RIGHTS}`,
    control: "none",
    script: `
handle = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128))
got, why = call(303, 264, -100, b"/tmp", handle, ctypes.byref(ctypes.c_int()), 0)
if got == -1: held(why)
answered(call(304, 265, os.open("/tmp", os.O_RDONLY), handle, 0))`,
  },
  {
    id: "escape.other-sandboxes",
    tries: "find links, sockets or workspaces of other sandboxes in its file system",
    stoppedBy: OWN_VIEW,
    script: `
found = glob.glob("/handrail-link/*") + glob.glob("/handrail-state/*.sock")
strange = [p for p in found if not p.endswith(("sandboxd.sock",))]
mounts = read("/proc/self/mountinfo").decode("utf8", "replace")
if OTHER in mounts or strange: breach(strange or "mount of another")
if CONVERSATION not in mounts and len(found) > 1: breach(found)
held("%d sockets" % len(found))`,
  },
];

const DEVICES: readonly InsideAttack[] = [
  {
    id: "device.make",
    tries: "make a device file of the machine's disk",
    stoppedBy: NO_RIGHTS,
    control: "none",
    script: `
path = "/tmp/attack-device-%d" % os.getpid()
why = fails(lambda: os.mknod(path, 0o600 | stat.S_IFBLK, os.makedev(7, 0)))
if why is None: os.unlink(path)
held(why) if why in REFUSED else breach(why)`,
  },
  {
    id: "device.find",
    tries: "read disks, memory, tunnels or hypervisors through devices that are there",
    stoppedBy: "a /dev of its own with a dozen harmless devices",
    control: "none",
    script: `
harmless = {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "console"}
for folder, _, names in os.walk("/dev"):
    for name in names:
        path = os.path.join(folder, name)
        mode = os.lstat(path).st_mode
        if (stat.S_ISBLK(mode) or stat.S_ISCHR(mode)) and name not in harmless and not folder.startswith("/dev/pts"): breach(path)
held("none found")`,
  },
  {
    id: "device.memory",
    tries: "read the kernel's or the machine's memory",
    stoppedBy: "masked files, and an unprivileged user",
    control: "none",
    script: `
for path in ("/proc/kcore", "/dev/mem", "/dev/kmem", "/dev/port", "/proc/kmsg"):
    try:
        f = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        if os.read(f, 16): breach(path)
    except OSError: pass
held("nothing to read")`,
  },
  {
    id: "device.io-ports",
    tries: "talk to hardware by its ports",
    stoppedBy: SECCOMP,
    script: `
if ARM: held("no such ports")
answered(call(172, 0, 3))`,
  },
];

const CGROUPS: readonly InsideAttack[] = [
  {
    id: "cgroup.release-agent",
    tries: "have the kernel run a program on the host by a control group's release_agent",
    stoppedBy: "control groups that cannot be written, and none that can be mounted",
    script: `
agents = [p for d, _, names in os.walk("/sys/fs/cgroup") for p in [os.path.join(d, "release_agent")] if "release_agent" in names]
agents += ["/sys/fs/cgroup/rdma/release_agent", "/sys/fs/cgroup/release_agent"]
if in_child(lambda: call(272, 97, 0x10000000 | 0x20000 | 0x2000000)[0] == 0) == 0: breach("namespaces")
any_opens(agents)`,
  },
  {
    id: "cgroup.leave",
    tries: "move itself into a control group without limits",
    stoppedBy: "control groups that cannot be written",
    control: "none",
    script: `
files = [os.path.join(d, n) for d, _, names in os.walk("/sys/fs/cgroup") for n in names if n in ("cgroup.procs", "tasks", "cgroup.threads")]
any_opens(files[:2000])`,
  },
  {
    id: "cgroup.raise",
    tries: "raise its own limits of memory, processes and CPU",
    stoppedBy: "control groups that cannot be written",
    control: "none",
    script: `
wanted = ("memory.limit_in_bytes", "memory.max", "pids.max", "cpu.max", "cpu.cfs_quota_us", "devices.allow", "memory.oom_control")
any_opens([os.path.join(d, n) for d, _, names in os.walk("/sys/fs/cgroup") for n in names if n in wanted][:2000])`,
  },
  {
    id: "cgroup.make",
    tries: "make a control group of its own",
    stoppedBy: "control groups that cannot be written",
    control: "none",
    script: `
for folder in ["/sys/fs/cgroup"] + [p for p in glob.glob("/sys/fs/cgroup/*") if os.path.isdir(p)]:
    path = folder + "/attack-%d" % os.getpid()
    if fails(lambda: os.mkdir(path)) is None:
        os.rmdir(path)
        breach(folder)
held("refused")`,
  },
];

/** Ways out by mounts, devices and control groups. */
export const ESCAPE_ATTACKS: readonly InsideAttack[] = [...MOUNTS, ...DEVICES, ...CGROUPS];
