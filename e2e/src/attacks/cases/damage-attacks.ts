import type { Attack } from "../attack.ts";

/** An attack that may ruin its own sandbox. It is a shell script; what matters is how others fare. */
export type DamageAttack = Attack & {
  readonly script: string;
  /** How long it may go on before it is stopped, in milliseconds. */
  readonly forMs: number;
  /** Its own sandbox is gone afterwards, which shows that it was done. */
  readonly ends?: true;
};

const LIMIT = "a limit for each sandbox";

const python = (text: string) => `python3 - <<'END'\n${text.trim()}\nEND`;

const exhaust = (id: string, tries: string, stoppedBy: string, script: string): DamageAttack => ({
  id: `exhaust.${id}`,
  tries,
  stoppedBy,
  script,
  forMs: 1000,
});

/** Using something up. */
export const EXHAUSTION_ATTACKS: readonly DamageAttack[] = [
  exhaust("processes", "start processes without end", `${LIMIT}: processes`, "f() { f | f & }; f; sleep 60"),
  exhaust(
    "threads",
    "start threads without end",
    `${LIMIT}: processes, which threads count as`,
    python(
      "import threading, time\nwhile True:\n    try: threading.Thread(target=time.sleep, args=(60,)).start()\n    except RuntimeError: pass",
    ),
  ),
  exhaust(
    "memory",
    "take memory without end",
    `${LIMIT}: memory, without swap`,
    "head -c 4G /dev/zero | tail -n 1 | wc -c",
  ),
  exhaust(
    "shared-memory",
    "take memory by files in memory",
    `${LIMIT}: memory; sizes of /tmp and /dev/shm`,
    "for at in /tmp /dev/shm /run; do head -c 4G /dev/zero > $at/full; done; sleep 60",
  ),
  exhaust(
    "cpu",
    "keep all processors busy",
    `${LIMIT}: CPU`,
    "for i in 1 2 3 4 5 6 7 8; do sh -c 'while :; do :; done' & done; wait",
  ),
  exhaust(
    "workspace",
    "fill the disk by its workspace and home",
    `${LIMIT}: the workspace's size, where one is held; the size of one file`,
    "ulimit -f 400000; head -c 200M /dev/zero > /workspace/full; head -c 200M /dev/zero > ~/full; sleep 60",
  ),
  exhaust(
    "inodes",
    "use up the disk's files",
    `${LIMIT}: the workspace's file system, where one is held`,
    python(
      "import os\nfor n in range(100000):\n    try: open('/workspace/f%d' % n, 'w').close()\n    except OSError: break\nimport time; time.sleep(60)",
    ),
  ),
  exhaust(
    "descriptors",
    "open files, pipes and sockets without end",
    `${LIMIT}: open files`,
    python(
      "import os, time\nheld = []\nwhile True:\n    try: held.append(os.pipe())\n    except OSError: time.sleep(0.01)",
    ),
  ),
  exhaust(
    "output",
    "write output without end",
    "output is capped where it arises",
    "yes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
  ),
  exhaust(
    "one-line",
    "write a line without end",
    "output is capped where it arises",
    "head -c 1G /dev/zero | tr '\\0' x; sleep 60",
  ),
  exhaust(
    "watches",
    "use up the kernel's file watches and locks",
    `${LIMIT}: open files and memory`,
    python(
      "import ctypes, time\nlibc = ctypes.CDLL(None)\nfor _ in range(200):\n    fd = libc.inotify_init()\n    for n in range(1000): libc.inotify_add_watch(fd, b'/proc', 2)\ntime.sleep(60)",
    ),
  ),
  exhaust(
    "directories",
    "make a directory ten thousand deep, which programs that walk trees fall over",
    "trees are taken away without walking down by recursion",
    python(
      "import os, time\nos.chdir('/workspace')\nfor _ in range(10000):\n    try: os.mkdir('d'); os.chdir('d')\n    except OSError: break\ntime.sleep(60)",
    ),
  ),
];

const DAEMON = `
import glob, os, signal, socket, sys, time
def daemons():
    for path in glob.glob("/proc/[0-9]*/exe"):
        try: name = os.path.basename(os.readlink(path))
        except OSError: continue
        if name == "sandboxd": yield int(path.split("/")[2])
SOCKETS = glob.glob("/handrail-link/*.sock") + glob.glob("/handrail-state/*.sock")
`;

const daemon = (id: string, tries: string, stoppedBy: string, script: string): DamageAttack => ({
  id: `sandboxd.${id}`,
  tries,
  stoppedBy,
  script: python(`${DAEMON}\n${script}`),
  forMs: 500,
  ...(script.includes("SIGKILL") ? { ends: true } : {}),
});

const OWN_ONLY = "it serves only this conversation; the workspace outlives it";
const CHECKED = "each frame is checked; a bad one ends the connection of this conversation";

/** Handrail's own program in the sandbox as the target: it runs as the same user as the attacker. */
export const SANDBOXD_ATTACKS: readonly DamageAttack[] = [
  daemon("kill", "kill sandboxd", OWN_ONLY, "for pid in daemons(): os.kill(pid, signal.SIGKILL)"),
  daemon(
    "stop",
    "stop sandboxd, so that the server waits for ever",
    "calls end with their signal; the sandbox is ended from outside",
    "for pid in daemons(): os.kill(pid, signal.SIGSTOP)",
  ),
  {
    // Each line of noise may wait for an answer.
    ...daemon(
      "garbage",
      "take sandboxd's place and send what is no protocol",
      CHECKED,
      `
for path in SOCKETS:
    for noise in (b"GET / HTTP/1.1\\r\\n\\r\\n", os.urandom(100000), b"\\xff" * 64, b"\\x00" * 100000, b'{"type":"hello"}\\n' * 1000):
        s = socket.socket(socket.AF_UNIX); s.settimeout(0.1)
        try: s.connect(path); s.sendall(noise); s.recv(1000)
        except OSError: pass
for pid in daemons(): os.kill(pid, signal.SIGKILL)
`,
    ),
    forMs: 3000,
  },
  daemon(
    "impostor",
    "kill sandboxd, connect in its place, and replay what others would say",
    CHECKED,
    `
import struct
mine = [socket.socket(socket.AF_UNIX) for _ in SOCKETS]
for s, path in zip(mine, SOCKETS):
    try: s.connect(path)
    except OSError: continue
    try:
        for size in (0, 1, 0x7fffffff, 0xffffffff): s.sendall(struct.pack(">I", size) + b'{"type":"welcome","protocol":1,"bootId":"forged"}')
    except OSError: pass
for pid in daemons(): os.kill(pid, signal.SIGKILL)
time.sleep(60)`,
  ),
  daemon(
    "socket",
    "put a socket of its own in the place of the server's",
    "the socket's directory is read-only, or the way in starts outside",
    `
for path in SOCKETS:
    try: os.unlink(path)
    except OSError: continue
    s = socket.socket(socket.AF_UNIX); s.bind(path); s.listen(5)
time.sleep(60)`,
  ),
  daemon(
    "state",
    "destroy what sandboxd keeps: outcomes of calls, its repository",
    OWN_ONLY,
    `
import shutil
for name in os.listdir("/handrail-state"):
    if name != "home" and not name.endswith((".sock", ".log")): shutil.rmtree("/handrail-state/" + name, ignore_errors=True)
for pid in daemons(): os.kill(pid, signal.SIGKILL)`,
  ),
  daemon(
    "trace",
    "write into sandboxd's memory",
    OWN_ONLY,
    `
for pid in daemons():
    try:
        for line in open("/proc/%d/maps" % pid):
            span, rights = line.split()[:2]
            if not rights.startswith("rw"): continue
            start, end = (int(part, 16) for part in span.split("-"))
            with open("/proc/%d/mem" % pid, "r+b", 0) as memory: memory.seek(start); memory.write(os.urandom(min(end - start, 1 << 20)))
    except (OSError, OverflowError): pass
for pid in daemons(): os.kill(pid, signal.SIGKILL)`,
  ),
  daemon(
    "connections",
    "open the server's socket without end",
    "one connection is taken, others are let go",
    `
held = []
while len(held) < 2000:
    for path in SOCKETS:
        s = socket.socket(socket.AF_UNIX)
        try: s.connect(path)
        except OSError: time.sleep(0.01)
        held.append(s)
    if not SOCKETS: break
for pid in daemons(): os.kill(pid, signal.SIGKILL)`,
  ),
];
