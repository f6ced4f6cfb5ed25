import { SANDBOXD_PROTOCOL } from "@handrail/protocol/sandboxd/frames";
import { python, type DamageAttack } from "./damage-attacks.ts";

const DAEMON = `
said = breach
def breach(what):
    try: open("/workspace/mine", "w").write("breach %s" % what)
    except OSError: pass
    said(what)
def daemons():
    for path in glob.glob("/proc/[0-9]*/comm"):
        try: name = open(path).read().strip()
        except OSError: continue
        if name == "sandboxd": yield int(path.split("/")[2])
SOCKETS = glob.glob("/handrail-link/*.sock") + glob.glob("/handrail-state/*.sock") + ["\\0" + l.split("@")[-1].strip() for l in open("/proc/net/unix") if "@handrail" in l]
THREADS = [int(t) for pid in daemons() for t in os.listdir("/proc/%d/task" % pid)]
def quietly(act):
    try: return act()
    except (OSError, OverflowError, ValueError): pass
TARGETS = list(daemons())
if not TARGETS or not SOCKETS: breach("nothing to attack: %s %s" % (TARGETS, SOCKETS))
def connected():
    """A socket that has reached each of the ways that there are to sandboxd or the server."""
    made = []
    for path in SOCKETS:
        s = socket.socket(socket.AF_UNIX); s.settimeout(0.1)
        try: s.connect(path)
        except OSError: continue
        made.append(s)
    return made
`;

const daemon = (id: string, tries: string, stoppedBy: string, script: string): DamageAttack => ({
  id: `sandboxd.${id}`,
  tries,
  stoppedBy,
  script: python(`${DAEMON}\n${script.trim()}`),
  forMs: 500,
});

const FIRST = "it is the first process of the sandbox, to which the kernel lets no signal through from inside";
const UNREADABLE = "it is not dumpable: the kernel lets no program of its user look into it";
const KNOWN = "a token at the start of each connection, which no program in the sandbox knows";

/** Handrail's own program in the sandbox as the target, which runs as the same user as the attacker. */
export const SANDBOXD_ATTACKS: readonly DamageAttack[] = [
  daemon(
    "kill",
    "kill sandboxd",
    FIRST,
    `
for pid in TARGETS: os.kill(pid, signal.SIGKILL)
held("%d signals sent" % len(TARGETS))`,
  ),
  daemon(
    "stop",
    "stop sandboxd, so that the server waits for ever",
    FIRST,
    `
for pid in TARGETS: os.kill(pid, signal.SIGSTOP)
held("%d signals sent" % len(TARGETS))`,
  ),
  daemon(
    "signals",
    "end sandboxd by any other signal, sent to it, to its threads and through its descriptor",
    FIRST,
    `
sent = 0
for number in range(1, 65):
    for pid in TARGETS:
        quietly(lambda: os.kill(pid, number))
        def by_descriptor():
            fd = os.pidfd_open(pid); signal.pidfd_send_signal(fd, number); os.close(fd)
        quietly(by_descriptor)
    for thread in THREADS: sent += libc.tgkill(1, thread, number) == 0
quietly(lambda: os.kill(-1, signal.SIGHUP))
held("%d signals sent to threads" % sent) if sent > 60 else breach("%d signals sent" % sent)`,
  ),
  daemon(
    "suspend",
    "flood sandboxd with the signals that its runtime uses itself",
    "handlers that look at their own state first",
    `
until, sent = time.time() + 2 * HOLD, 0
while time.time() < until or sent < 1000:
    for thread in THREADS:
        for number in (10, 12, 30, 33, 34): sent += libc.tgkill(1, thread, number) == 0
held("%d signals sent" % sent, 0)`,
  ),
  daemon(
    "limits",
    "take sandboxd's limits away: open files, memory, seconds of the processor, its turn to run",
    "the filter of system calls",
    `
took = []
def take(what, act):
    try: act()
    except (OSError, ValueError): return
    took.append(what)
for pid in THREADS:
    for limit in (resource.RLIMIT_CPU, resource.RLIMIT_NOFILE, resource.RLIMIT_AS, resource.RLIMIT_NPROC):
        take("limit %d" % limit, lambda: resource.prlimit(pid, limit, (0, 0)))
for pid in TARGETS:
    take("scheduling", lambda: os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0)))
    take("priority", lambda: os.setpriority(os.PRIO_PROCESS, pid, 19))
    take("oom_score_adj", lambda: open("/proc/%d/oom_score_adj" % pid, "w").write("1000"))
breach(took) if took else held("%d threads" % len(THREADS))`,
  ),
  daemon(
    "garbage",
    "send what is no protocol to the server's and sandboxd's sockets",
    KNOWN,
    `
sent = 0
for noise in (b"GET / HTTP/1.1\\r\\n\\r\\n", os.urandom(100000), b"\\xff" * 64, b"\\x00" * 100000, b'{"type":"hello"}\\n' * 1000):
    for s in connected():
        sent += 1
        try: s.sendall(noise); s.recv(1000)
        except OSError: pass
held("sent %d times" % sent) if sent >= 5 else breach("sent %d times" % sent)`,
  ),
  daemon(
    "impostor",
    "connect in sandboxd's place, and replay what others would say",
    KNOWN,
    `
import struct
mine = connected()
for s in mine:
    try:
        for size in (0, 1, 0x7fffffff, 0xffffffff): s.sendall(struct.pack(">I", size) + b'{"type":"welcome","protocol":${SANDBOXD_PROTOCOL},"bootId":"forged"}')
    except OSError: pass
held("%d connections" % len(mine)) if mine else breach("none could be reached")`,
  ),
  daemon(
    "server",
    "be a server to sandboxd, so that connections to the broker and to ports come to it",
    KNOWN,
    `
import json, struct
def frame(message):
    data = json.dumps(message).encode(); return struct.pack(">II", len(data), 0) + data
mine, heard = [], 0
for token in ("", "x" * 64):
    for s in connected():
        mine.append(s); s.settimeout(1)
        try: s.sendall(frame({"type": "hello", "protocol": ${SANDBOXD_PROTOCOL}, "token": token})); got = s.recv(1000)
        except OSError: continue
        heard += 1
        if b'"welcome"' in got: breach(got)
held("%d connections, %d ended or answered" % (len(mine), heard)) if mine else breach("none could be reached")`,
  ),
  daemon(
    "socket",
    "put a socket of its own in the place of the server's",
    "the socket's directory is read-only, or the socket has a name without a file",
    `
for path in SOCKETS:
    try:
        if path[0] != "\\0": os.unlink(path)
        s = socket.socket(socket.AF_UNIX); s.bind(path); s.listen(5)
    except OSError: continue
    breach(path)
held("%d sockets stay" % len(SOCKETS))`,
  ),
  daemon(
    "state",
    "destroy what sandboxd keeps: outcomes of calls, its repository",
    "outcomes are kept in memory; the workspace outlives the rest",
    `
import shutil
names = [n for n in os.listdir("/handrail-state") if n != "home" and not n.endswith((".sock", ".log"))]
for name in names: shutil.rmtree("/handrail-state/" + name, ignore_errors=True)
held("destroyed %s" % names)`,
  ),
  daemon(
    "trace",
    "read and write sandboxd's memory, its files, its environment and its registers",
    UNREADABLE,
    `
libc.ptrace.restype = ctypes.c_long
for pid in TARGETS:
    for name in ("mem", "maps", "environ", "auxv", "syscall", "stack"):
        try:
            with open("/proc/%d/%s" % (pid, name), "rb") as f:
                if f.read(1): breach(name)
        except OSError: pass
    for name in ("fd/0", "cwd", "root", "exe"):
        try: os.readlink("/proc/%d/%s" % (pid, name)); breach(name)
        except OSError: pass
    try:
        with open("/proc/%d/mem" % pid, "r+b", 0) as memory: breach("mem to write")
    except OSError: pass
    for request in (16, 0x4206):
        if libc.ptrace(request, pid, 0, 0) == 0: breach("ptrace")
    there = ctypes.create_string_buffer(8)
    vector = (ctypes.c_void_p * 2)(ctypes.addressof(there), 8)
    if libc.process_vm_readv(pid, vector, 1, (ctypes.c_void_p * 2)(0x400000, 8), 1, 0) > 0: breach("process_vm_readv")
held("%d processes" % len(TARGETS))`,
  ),
  daemon(
    "token",
    "find the token of the connection, which was in the environment of sandboxd",
    UNREADABLE,
    `
import re
places = glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline") + glob.glob("/handrail-state/**", recursive=True) + glob.glob("/run/**", recursive=True)
looked = 0
for place in places:
    try: text = open(place, "rb").read(1 << 20)
    except OSError: continue
    looked += 1
    if b"LINK" + b"_TOKEN=" in text and place != "/proc/self/environ": breach(place)
if "HANDRAIL_LINK_TOKEN" in os.environ: breach("env")
held("%d of %d places can be read" % (looked, len(places))) if looked > 0 else breach("nothing was read")`,
  ),
  daemon(
    "descriptors",
    "find sandboxd's connections among the open files that it hands on",
    "open files that close when a program is started",
    `
seen = os.listdir("/proc/self/fd")
for fd in seen:
    try: to = os.readlink("/proc/self/fd/" + fd)
    except OSError: continue
    if int(fd) > 2 and to != "/proc/%d/fd" % os.getpid(): breach(to)
held("%d open files" % len(seen)) if len(seen) > 2 else breach("nothing was seen")`,
  ),
  daemon(
    "orphans",
    "leave dead programs to sandboxd, until no more can be started",
    "it takes note of the end of what lost its parent",
    `
left = 0
for _ in range(600):
    pid = quietly(os.fork)
    if pid == 0:
        try: os._exit(1 if os.fork() else 0)
        except OSError: os._exit(0)
    if pid: left += os.WEXITSTATUS(os.waitpid(pid, 0)[1])
    else: time.sleep(0.01)
held("%d orphans" % left, 0) if left > 400 else breach("%d orphans" % left)`,
  ),
  daemon(
    "connections",
    "open the server's socket without end",
    "who does not say the token is let go, and who does is heard at once",
    `
kept, until = [], time.time() + HOLD
while len(kept) < 2000 and time.time() < until:
    kept += connected() or [time.sleep(0.01)]
reached = len([s for s in kept if s])
held("%d connections" % reached) if reached > 10 else breach("%d connections" % reached)`,
  ),
];
