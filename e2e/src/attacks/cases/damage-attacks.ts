import type { Attack } from "../attack.ts";

/**
 * An attack that may ruin its own sandbox; what matters besides is how others fare. `script` is a shell script. It says
 * `HELD` in a line of its standard error once it is refused what it tries, or has tried all of it, and `BREACH` when it
 * got it; it goes on for a while and then ends itself.
 */
export type DamageAttack = Attack & {
  readonly script: string;
  /** How long it goes on after its word, in milliseconds. */
  readonly forMs: number;
};

const LIMIT = "a limit for each sandbox";

const PRELUDE = `
import ctypes, errno, fcntl, glob, os, resource, signal, socket, subprocess, sys, threading, time
HOLD = float(os.environ["HOLD"])
libc = ctypes.CDLL(None, use_errno=True)
def over(word, what, hold):
    sys.stderr.write("\\n%s %s\\n" % (word, what)); sys.stderr.flush()
    time.sleep(hold)
    os.killpg(0, signal.SIGKILL)
def held(what, hold=HOLD): over("HELD", what, hold)
def breach(what): over("BREACH", what, 0)
def refused(act, most, *reasons):
    """Does it again and again until it is refused for one of these reasons: how often it worked, and the reason."""
    for count in range(most):
        try: act()
        except OSError as e:
            name = errno.errorcode.get(e.errno, str(e))
            return (count, name) if name in reasons else breach("%s after %d" % (name, count))
    breach("not refused after %d" % most)
`;

/** A shell script that runs a Python program behind the prelude. */
export const python = (text: string) => `python3 - <<'END'\n${PRELUDE}\n${text.trim()}\nEND`;

const exhaust = (id: string, tries: string, stoppedBy: string, script: string): DamageAttack => ({
  id: `exhaust.${id}`,
  tries,
  stoppedBy,
  script: python(script),
  forMs: 500,
});

/** Writes to a file until that is refused or the writer is ended: how many bytes there are then, and why no more. */
const FILL = `
def fill(path, most):
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        code = 0
        try:
            f = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
            for _ in range(most >> 20): os.write(f, b"x" * (1 << 20))
        except OSError as e: code = e.errno
        os._exit(code)
    status = os.waitpid(pid, 0)[1]
    why = "ended for memory" if os.WIFSIGNALED(status) else errno.errorcode.get(os.WEXITSTATUS(status), "not refused")
    return os.path.getsize(path) if os.path.exists(path) else 0, why
`;

/** Using something up. */
export const EXHAUSTION_ATTACKS: readonly DamageAttack[] = [
  exhaust(
    "processes",
    "start processes without end",
    `${LIMIT}: processes`,
    `
quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
subprocess.Popen(["sh", "-c", "f() { f | f & }; f; sleep 60"], **quiet)
def more():
    if os.fork() == 0:
        time.sleep(60); os._exit(0)
held("%d besides the bomb, then %s" % refused(more, 1000, "EAGAIN", "ENOMEM"))`,
  ),
  exhaust(
    "threads",
    "start threads without end",
    `${LIMIT}: processes, which threads count as`,
    `
for count in range(1000):
    try: threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    except RuntimeError as e: held("%d, then %s" % (count, e))
breach("1000 threads")`,
  ),
  exhaust(
    "memory",
    "take memory without end",
    `${LIMIT}: memory, without swap`,
    `
reading, writing = os.pipe()
pid = os.fork()
if pid == 0:
    taken = []
    try:
        for _ in range(256): taken.append(b"x" * (16 << 20)); os.write(writing, b".")
    except MemoryError: os._exit(1)
    os._exit(0)
status = os.waitpid(pid, 0)[1]
os.close(writing)
size = len(os.read(reading, 1000)) * 16
held("%d MB, status %d" % (size, status)) if status != 0 and 0 < size < 1024 else breach("%d MB, status %d" % (size, status))`,
  ),
  exhaust(
    "shared-memory",
    "take memory by files in memory",
    `${LIMIT}: memory; sizes of /tmp and /dev/shm`,
    `${FILL}
seen = []
for at in ("/tmp", "/dev/shm", "/run"):
    size, why = fill(at + "/full", 4 << 30)
    seen.append("%s %d MB %s" % (at, size >> 20, why))
    expected = ("ENOSPC", "ended for memory") + (("EROFS", "EACCES") if at == "/run" else ())
    if why not in expected or size > 1 << 30: breach(seen)
held(", ".join(seen))`,
  ),
  exhaust(
    "cpu",
    "keep all processors busy",
    `${LIMIT}: CPU`,
    `
begun = time.time()
for _ in range(8):
    if os.fork() == 0:
        while time.time() < begun + 2 * HOLD: pass
        os._exit(0)
for _ in range(8): os.wait()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
share = (used.ru_utime + used.ru_stime) / (time.time() - begun)
held("8 programs had %.2f processors" % share, 0) if share > 0.01 else breach("they did not run")`,
  ),
  exhaust(
    "workspace",
    "fill the disk by its workspace and home",
    `${LIMIT}: the workspace's size, where one is held; the size of one file`,
    // Where it is the machine's own disk, it is not filled for a test: a limit below the sandbox's is put before it.
    `${FILL}
disk = os.statvfs("/workspace")
bounded = disk.f_blocks * disk.f_frsize < 1 << 30
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
if hard == resource.RLIM_INFINITY: breach("files of any size")
if not bounded: resource.setrlimit(resource.RLIMIT_FSIZE, (200 << 20, hard))
seen = []
for at in ("/workspace", os.path.expanduser("~")):
    size, why = fill(at + "/full", 1 << 30)
    seen.append("%s %d MB %s" % (at, size >> 20, why))
    if why != ("ENOSPC" if bounded else "EFBIG"): breach(seen)
held(", ".join(seen))`,
  ),
  exhaust(
    "inodes",
    "use up the disk's files",
    `${LIMIT}: the workspace's file system, where one is held`,
    `
disk, made = os.statvfs("/workspace"), 0
bounded = disk.f_blocks * disk.f_frsize < 1 << 30
def make():
    global made
    made += 1
    os.close(os.open("/workspace/f%d" % made, os.O_CREAT | os.O_WRONLY))
if bounded: held("%d, then %s" % refused(make, 100000, "ENOSPC"))
for _ in range(20000): make()
held("%d on a disk without bounds" % made)`,
  ),
  exhaust(
    "descriptors",
    "open files, pipes and sockets without end",
    `${LIMIT}: open files`,
    `
kept = []
count, why = refused(lambda: kept.append((os.pipe(), socket.socket(socket.AF_UNIX))), 100000, "EMFILE")
held("%d pipes and sockets, then %s" % (count, why))`,
  ),
  exhaust(
    "output",
    "write output without end",
    "output is capped where it arises",
    `
line, until, written = b"x" * 75 + b"\\n", time.time() + HOLD, 0
while time.time() < until or written < 2_000_000: written += os.write(1, line * 1000)
held("%d MB written" % (written >> 20), 0)`,
  ),
  exhaust(
    "one-line",
    "write a line without end",
    "output is capped where it arises",
    `
until, written = time.time() + HOLD, 0
while time.time() < until or written < 2_000_000: written += os.write(1, b"x" * 100_000)
held("%d MB written" % (written >> 20), 0)`,
  ),
  exhaust(
    "watches",
    "use up the kernel's file watches and locks",
    `${LIMIT}: open files and memory`,
    `
paths = [os.fsencode(os.path.join(d, n)) for top in ("/usr/bin", "/usr/lib", "/etc") for d, _, names in os.walk(top) for n in names][:500]
watches = 0
def more():
    global watches
    fd = libc.inotify_init()
    if fd < 0: raise OSError(ctypes.get_errno(), "inotify")
    if watches < 10_000: watches += sum(libc.inotify_add_watch(fd, path, 2) > 0 for path in paths)
f = open("/workspace/locked", "w+")
for at in range(2000): fcntl.lockf(f, fcntl.LOCK_EX, 1, 2 * at)
count, why = refused(more, 20000, "EMFILE", "ENOSPC", "ENOMEM")
held("2000 locks, %d watches, %d lists, then %s" % (watches, count, why)) if watches > 1000 else breach("%d watches" % watches)`,
  ),
  exhaust(
    "directories",
    "make a directory ten thousand deep, which programs that walk trees fall over",
    "trees are taken away without walking down by recursion",
    `
os.chdir("/workspace")
depth = 0
try:
    while depth < 10000: os.mkdir("d"); os.chdir("d"); depth += 1
except OSError as e: held("%d deep, then %s" % (depth, errno.errorcode[e.errno])) if depth > 5000 else breach(e)
held("%d deep" % depth)`,
  ),
];
