import type { Attack } from "../attack.ts";

/** An attack that may ruin its own sandbox. It is a shell script; what matters is how others fare. */
export type DamageAttack = Attack & {
  readonly script: string;
  /** How long it may go on before it is stopped, in milliseconds. */
  readonly forMs: number;
};

const LIMIT = "a limit for each sandbox";

/** A shell script that runs a Python program. */
export const python = (text: string) => `python3 - <<'END'\n${text.trim()}\nEND`;

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
