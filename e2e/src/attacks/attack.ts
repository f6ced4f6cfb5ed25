/** What an attack is made of. The table in docs/security/attacks.md has a row for each. */
export type Attack = {
  /** Group and name, unique: `escape.mount`. */
  readonly id: string;
  /** What is tried: what follows "An attacker tries to". */
  readonly tries: string;
  /** What holds, in one phrase. */
  readonly stoppedBy: string;
};

/**
 * An attack by a program in a sandbox. `script` is Python, run behind `PRELUDE`; it ends by `held` or `breach`. Whatever
 * else it does counts as a breach: an attack that did not run proves nothing.
 */
export type InsideAttack = Attack & {
  readonly script: string;
  /** Where the same script, harmlessly, does what it tries: without a sandbox, as root of this machine. */
  readonly control?: "none";
  /** What is different in the profile dev, by the table of what it allows. Absent: nothing is. */
  readonly dev?: {
    /** What a program may do there. */
    readonly may: string;
    /** What is tried there instead, in words that follow "An attacker tries to". */
    readonly tries: string;
    readonly script: string;
  };
};

/** What an attack came to: `HELD` or `BREACH`, and a word of what was seen. */
export type Verdict = string;

/** What an attack printed as its verdict; all but one line that starts with `HELD` is a breach. */
export function verdictOf(output: string): Verdict {
  const lines = output.trim().split("\n");
  const [only = ""] = lines;
  if (lines.length === 1 && /^(?:HELD|BREACH)\b/.test(only)) return only.slice(0, 300);
  return `BREACH, or the attack did not run: ${output.trim().slice(-600)}`;
}

/** The verdict of an attack that prints other things too: in a line of its own, and only one. */
export function verdictAmong(output: string): Verdict {
  const verdicts = output.split("\n").filter((line) => /^(?:HELD|BREACH)\b/.test(line));
  return verdictOf(verdicts.length === 1 ? (verdicts[0] ?? "") : output);
}

/** A script of one system call, by its numbers on both machines: refused with `EPERM` or its like it holds. */
export const refusedCall = (x86: number, arm: number, ...args: readonly string[]): string =>
  `answered(call(${[x86, arm, ...args].join(", ")}))`;

/** Python that scripts start with. `CANARY` is a file of the host that holds `SECRET`; `HOST` says more of the host. */
export const PRELUDE = `
import array, ctypes, errno, fcntl, glob, json, mmap, os, resource, signal, socket, stat, struct, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
ARM = os.uname().machine == "aarch64"
def say(word, what):
    sys.stdout.write("%s %s\\n" % (word, str(what).replace("\\n", " ")[:200])); sys.stdout.flush(); os._exit(0)
def held(what): say("HELD", what)
def breach(what): say("BREACH", what)
def call(x86, arm, *args):
    ctypes.set_errno(0)
    got = libc.syscall(ctypes.c_long(arm if ARM else x86), *[ctypes.c_long(a) if isinstance(a, int) else a for a in args])
    return got, errno.errorcode.get(ctypes.get_errno(), "none")
REFUSED = ("EPERM", "EACCES", "ENOSYS", "EROFS")
def answered(answer):
    got, why = answer
    held(why) if got == -1 and why in REFUSED else breach("%s %s" % (got, why))
def attempt(act, *refused):
    try: got = act()
    except OSError as e:
        name = errno.errorcode.get(e.errno, str(e))
        held(name) if name in (refused or REFUSED) else breach(name)
    breach(got)
def fails(act):
    try: act()
    except OSError as e: return errno.errorcode.get(e.errno, str(e))
    return None
def any_opens(paths, flags=os.O_WRONLY):
    for path in paths:
        try: os.close(os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC))
        except OSError: continue
        breach(path)
    held("%d paths" % len(paths))
def in_child(act):
    """What a child process that does this exits with; 0 means that it could."""
    pid = os.fork()
    if pid == 0:
        try: os._exit(0 if act() else 1)
        except BaseException: os._exit(2)
    return os.waitpid(pid, 0)[1]
def read(path, most=100000):
    try:
        with open(path, "rb") as f: return f.read(most)
    except OSError: return b""
def pids(): return [int(n) for n in os.listdir("/proc") if n.isdigit()]
`;
