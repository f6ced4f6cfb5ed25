import type { InsideAttack } from "../attack.ts";

/** Ways out by /proc, and by sockets of the host. */
export const PROC_ATTACKS: readonly InsideAttack[] = [
  {
    id: "proc.core-pattern",
    tries: "have the kernel run a program on the host at its next crash",
    stoppedBy: "/proc/sys read-only, and an unprivileged user",
    control: "none",
    script: `any_opens(["/proc/sys/kernel/core_pattern"])`,
  },
  {
    id: "proc.helpers",
    tries: "have the kernel run a program on the host for a module or a device",
    stoppedBy: "/proc/sys and /sys read-only, and an unprivileged user",
    control: "none",
    script: `any_opens(["/proc/sys/kernel/modprobe", "/proc/sys/kernel/hotplug", "/sys/kernel/uevent_helper", "/proc/sys/fs/binfmt_misc/register", "/proc/sys/kernel/poweroff_cmd"])`,
  },
  {
    id: "proc.any-setting",
    tries: "find any setting of the kernel that it may write and that is not of its own namespaces",
    stoppedBy: "/proc/sys and /sys read-only, and an unprivileged user",
    control: "none",
    script: `
files = [os.path.join(d, n) for top in ("/proc/sys", "/sys/kernel", "/sys/module", "/sys/class") for d, _, names in os.walk(top) for n in names]
own = [] # what holds for its own namespaces only
if os.readlink("/proc/self/ns/ipc") != HOST["namespaces"]["ipc"]: own += ["/proc/sys/fs/mqueue/"] + ["/proc/sys/kernel/" + n for n in ("msg", "sem", "shm", "auto_msgmni")]
if os.readlink("/proc/self/ns/net") != HOST["namespaces"]["net"]: own += ["/proc/sys/net/"]
if os.readlink("/proc/self/ns/pid") != HOST["namespaces"]["pid"]: own += ["/proc/sys/kernel/ns_last_pid", "/proc/sys/kernel/pid_max"]
any_opens([f for f in files if not f.startswith(tuple(own))])`,
  },
  {
    id: "proc.sysrq",
    tries: "crash the machine by the magic system request",
    stoppedBy: "/proc/sysrq-trigger masked or not writable",
    script: `any_opens(["/proc/sysrq-trigger"])`,
  },
  {
    id: "proc.processes",
    tries: "see or signal processes of the host",
    stoppedBy: "a process namespace of its own",
    control: "none",
    script: `
if b"kthreadd" in read("/proc/2/comm") or SECRET.encode() in read("/proc/%d/environ" % HOST["pid"]): breach("the host's processes")
if any(SECRET.encode() in read("/proc/%d/cmdline" % pid) for pid in pids() if pid != os.getpid()): breach("command lines")
held("%d processes" % len(pids()))`,
  },
  {
    id: "proc.host-sockets",
    tries: "reach a listening abstract unix socket of the host, which no file guards",
    stoppedBy: "a network namespace of its own",
    control: "none",
    script: `
s = socket.socket(socket.AF_UNIX)
attempt(lambda: s.connect("\\0" + HOST["abstract"]), "ECONNREFUSED")`,
  },
  {
    id: "proc.daemon-sockets",
    tries: "reach the Docker daemon, containerd, systemd or D-Bus",
    stoppedBy: "no path of the host mounted",
    control: "none",
    script: `
names = ("docker.sock", "containerd/containerd.sock", "dbus/system_bus_socket", "systemd/private", "podman/podman.sock", "crio/crio.sock")
for path in ["/%srun/%s" % (top, name) for top in ("", "var/") for name in names]:
    s = socket.socket(socket.AF_UNIX)
    if fails(lambda: s.connect(path)) is None: breach(path)
held("none there")`,
  },
];
