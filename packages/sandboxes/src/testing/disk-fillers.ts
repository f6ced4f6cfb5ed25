/** What the programs below take of Python. */
export const FILLER_MODULES = ["ctypes", "fcntl", "mmap", "os", "struct", "sys"] as const;

/** A program that sets out to fill the disk of its working directory, in Python, and goes on until it is ended. */
export type DiskFiller = {
  readonly tries: string;
  readonly script: string;
  /** How it comes to its end: it gives up by itself, since it is given nothing, or its call fails. */
  readonly end: "gives up" | "disk_full";
};

const PRELUDE = `
import ctypes, fcntl, mmap, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
GIB = 1 << 30
def alone(count, act):
    for number in range(count):
        if os.fork() == 0:
            try: act(number)
            finally: os._exit(0)
    for _ in range(count): os.wait()
def opened(name): return os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
def greedily(take):
    """Takes with a file each as much as there is, in ever smaller pieces."""
    number, size = 0, 8 * GIB
    while size >= 4096:
        file = opened("reserved%d" % number); number += 1
        if not take(file, size): size //= 2
        os.close(file)
`;

const filler = (tries: string, script: string, end: DiskFiller["end"] = "disk_full"): DiskFiller => ({
  tries,
  script: PRELUDE + script,
  end,
});

/** How a call that ran one came to its end. */
export async function endOf(call: Promise<{ readonly exitCode: number | null; readonly stderr: string }>) {
  return call.then(
    ({ exitCode, stderr }) => (exitCode === 0 && stderr === "" ? "gives up" : `${exitCode} ${stderr}`),
    (thrown: { readonly code?: unknown }) => String(thrown.code),
  );
}

/** Each by another way in which the kernel gives space of a disk away. */
export const DISK_FILLERS: readonly DiskFiller[] = [
  filler(
    "reserves it by fallocate",
    `greedily(lambda file, size: libc.fallocate(file, 0, ctypes.c_long(0), ctypes.c_long(size)) == 0)`,
    "gives up",
  ),
  filler(
    "reserves it by requests that XFS brought along",
    `
def take(file, size):
    for request in (0x40305828, 0x4030582a, 0x40305839):
        try: fcntl.ioctl(file, request, struct.pack("=hh4xqqiI4i", 0, 0, 0, size, 0, 0, 0, 0, 0, 0))
        except OSError: continue
        return True
greedily(take)`,
    "gives up",
  ),
  filler(
    "writes from eight programs",
    `
def write(number):
    file, block = opened("written%d" % number), bytes(4 << 20)
    while True: os.write(file, block)
alone(8, write)`,
  ),
  filler(
    "writes two gigabytes at once",
    `
block = mmap.mmap(-1, 2 * GIB - 4096, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
def write(number):
    file = opened("large%d" % number)
    while True: os.write(file, block)
alone(8, write)`,
  ),
  filler(
    "writes two gigabytes at once, past the kernel's memory",
    // Out of a few pages that are in memory already, mapped again and again: the kernel need not wait for any.
    `
part, parts = 32 << 20, 63
libc.mmap.restype, libc.mmap.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
source = os.open("/tmp/source", os.O_RDWR | os.O_CREAT, 0o600)
os.write(source, bytes(part))
READ, SHARED, FIXED, POPULATE = 1, 1, 16, 0x8000
first = libc.mmap(None, part * parts, READ, SHARED, source, 0)
def write(number):
    try: file = os.open("direct%d" % number, os.O_RDWR | os.O_CREAT | os.O_DIRECT, 0o600)
    except OSError: return
    for each in range(parts): libc.mmap(first + each * part, part, READ, SHARED | FIXED | POPULATE, source, 0)
    while libc.write(file, ctypes.c_void_p(first), ctypes.c_size_t(part * parts)) > 0: pass
alone(8, write)`,
    "gives up",
  ),
  filler(
    "touches pages of empty files that are in memory",
    `
def touch(number):
    file, part = opened("mapped%d" % number), 64 << 20
    os.ftruncate(file, 8 * GIB)
    for start in range(0, 8 * GIB, part):
        pages = mmap.mmap(file, part, offset=start)
        try: pages.madvise(14)
        except OSError: pass
        for at in range(0, part, 4096): pages[at]
        for at in range(0, part, 4096): pages[at] = 1
alone(4, touch)`,
  ),
  filler(
    "makes files without an end",
    `
def make(number):
    made = 0
    while True:
        if made % 1000 == 0: os.mkdir("many%d.%d" % (number, made)); os.chdir("many%d.%d" % (number, made))
        os.close(opened("f%d" % made)); made += 1
alone(4, make)`,
  ),
];
