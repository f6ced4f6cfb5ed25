import { SANDBOXD_PROTOCOL } from "@handrail/protocol/sandboxd/frames";
import { python, type DamageAttack } from "./damage-attacks.ts";

const DAEMON = `
import glob, os, signal, socket, sys, time
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
  daemon("kill", "kill sandboxd", FIRST, "for pid in daemons(): quietly(lambda: os.kill(pid, signal.SIGKILL))"),
  daemon(
    "stop",
    "stop sandboxd, so that the server waits for ever",
    FIRST,
    "for pid in daemons(): quietly(lambda: os.kill(pid, signal.SIGSTOP))",
  ),
  daemon(
    "signals",
    "end sandboxd by any other signal, sent to it, to its threads and through its descriptor",
    FIRST,
    `
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for number in range(1, 65):
    for pid in daemons():
        quietly(lambda: os.kill(pid, number))
        def by_descriptor():
            fd = os.pidfd_open(pid); signal.pidfd_send_signal(fd, number); os.close(fd)
        quietly(by_descriptor)
    for thread in THREADS: libc.tgkill(1, thread, number)
quietly(lambda: os.kill(-1, signal.SIGHUP))`,
  ),
  daemon(
    "suspend",
    "flood sandboxd with the signals that its runtime uses itself",
    "handlers that look at their own state first",
    `
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
until = time.time() + 2
while time.time() < until:
    for thread in THREADS:
        for number in (10, 12, 30, 33, 34): libc.tgkill(1, thread, number)`,
  ),
  daemon(
    "limits",
    "take sandboxd's limits away: open files, memory, seconds of the processor, its turn to run",
    "the filter of system calls",
    `
import resource
for pid in THREADS:
    for limit in (resource.RLIMIT_CPU, resource.RLIMIT_NOFILE, resource.RLIMIT_AS, resource.RLIMIT_NPROC):
        quietly(lambda: resource.prlimit(pid, limit, (0, 0)))
for pid in daemons():
    quietly(lambda: os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0)))
    quietly(lambda: os.setpriority(os.PRIO_PROCESS, pid, 19))
    quietly(lambda: open("/proc/%d/oom_score_adj" % pid, "w").write("1000"))`,
  ),
  {
    // Each line of noise may wait for an answer.
    ...daemon(
      "garbage",
      "send what is no protocol to the server's and sandboxd's sockets",
      KNOWN,
      `
for path in SOCKETS:
    for noise in (b"GET / HTTP/1.1\\r\\n\\r\\n", os.urandom(100000), b"\\xff" * 64, b"\\x00" * 100000, b'{"type":"hello"}\\n' * 1000):
        s = socket.socket(socket.AF_UNIX); s.settimeout(0.1)
        try: s.connect(path); s.sendall(noise); s.recv(1000)
        except OSError: pass`,
    ),
    forMs: 1500,
  },
  daemon(
    "impostor",
    "connect in sandboxd's place, and replay what others would say",
    KNOWN,
    `
import struct
mine = [socket.socket(socket.AF_UNIX) for _ in SOCKETS]
for s, path in zip(mine, SOCKETS):
    try: s.connect(path)
    except OSError: continue
    try:
        for size in (0, 1, 0x7fffffff, 0xffffffff): s.sendall(struct.pack(">I", size) + b'{"type":"welcome","protocol":${SANDBOXD_PROTOCOL},"bootId":"forged"}')
    except OSError: pass
time.sleep(60)`,
  ),
  daemon(
    "server",
    "be a server to sandboxd, so that connections to the broker and to ports come to it",
    KNOWN,
    `
import json, struct
def frame(message):
    data = json.dumps(message).encode(); return struct.pack(">II", len(data), 0) + data
mine = []
for path in SOCKETS:
    for token in ("", "x" * 64):
        s = socket.socket(socket.AF_UNIX); s.settimeout(1)
        try: s.connect(path); s.sendall(frame({"type": "hello", "protocol": ${SANDBOXD_PROTOCOL}, "token": token})); got = s.recv(1000)
        except OSError: continue
        if b'"welcome"' in got: open("/workspace/mine", "w").write("breach")
        mine.append(s)
time.sleep(60)`,
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
    open("/workspace/mine", "w").write("breach")
time.sleep(60)`,
  ),
  daemon(
    "state",
    "destroy what sandboxd keeps: outcomes of calls, its repository",
    "outcomes are kept in memory; the workspace outlives the rest",
    `
import shutil
for name in os.listdir("/handrail-state"):
    if name != "home" and not name.endswith((".sock", ".log")): shutil.rmtree("/handrail-state/" + name, ignore_errors=True)`,
  ),
  daemon(
    "trace",
    "read and write sandboxd's memory, its files, its environment and its registers",
    UNREADABLE,
    `
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
def breach(how): open("/workspace/mine", "w").write("breach " + how)
for pid in daemons():
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
    if libc.process_vm_readv(pid, vector, 1, (ctypes.c_void_p * 2)(0x400000, 8), 1, 0) > 0: breach("process_vm_readv")`,
  ),
  daemon(
    "token",
    "find the token of the connection, which was in the environment of sandboxd",
    UNREADABLE,
    `
import re
places = glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline") + glob.glob("/handrail-state/**", recursive=True) + glob.glob("/run/**", recursive=True)
for place in places:
    try: text = open(place, "rb").read(1 << 20)
    except OSError: continue
    if b"LINK" + b"_TOKEN=" in text and place != "/proc/self/environ": open("/workspace/mine", "w").write("breach " + place)
if "HANDRAIL_LINK_TOKEN" in os.environ: open("/workspace/mine", "w").write("breach env")`,
  ),
  daemon(
    "descriptors",
    "find sandboxd's connections among the open files that it hands on",
    "open files that close when a program is started",
    `
for fd in os.listdir("/proc/self/fd"):
    try: to = os.readlink("/proc/self/fd/" + fd)
    except OSError: continue
    if int(fd) > 2 and to != "/proc/%d/fd" % os.getpid(): open("/workspace/mine", "w").write("breach " + to)`,
  ),
  daemon(
    "orphans",
    "leave dead programs to sandboxd, until no more can be started",
    "it takes note of the end of what lost its parent",
    `
for _ in range(600):
    pid = quietly(os.fork)
    if pid == 0:
        quietly(os.fork); os._exit(0)
    if pid: os.waitpid(pid, 0)
    else: time.sleep(0.01)`,
  ),
  daemon(
    "connections",
    "open the server's socket without end",
    "who does not say the token is let go, and who does is heard at once",
    `
held = []
while len(held) < 2000:
    for path in SOCKETS:
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(0.1)
        try: s.connect(path)
        except OSError: time.sleep(0.01)
        held.append(s)
    if not SOCKETS: break`,
  ),
];
