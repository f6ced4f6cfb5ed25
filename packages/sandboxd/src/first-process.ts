import { constants } from "node:os";
import { isOwnChild } from "./children.ts";
import { requireCLibrary } from "./c-library.ts";

/** From linux/prctl.h and bits/waitflags.h. */
const PR_SET_DUMPABLE = 4;
const P_ALL = 0;
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x0100_0000;

const SYMBOLS = {
  prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
  signal: { args: ["i32", "ptr"], returns: "ptr" },
  waitid: { args: ["i32", "u32", "ptr", "i32"], returns: "i32" },
  waitpid: { args: ["i32", "ptr", "i32"], returns: "i32" },
} as const;

/** Room for a siginfo_t (128 bytes), and where it has the process. */
const SIGINFO_BYTES = 128;
const SIGINFO_PID = 16;

const { SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGTERM, SIGSYS } = constants.signals;
const FATAL = [SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGTERM, SIGSYS];

const REAP_AFTER_MS = 50;
const MAX_REAPED = 10_000;

/** Whether this is the first process of the sandbox, which the kernel guards from what runs in it. */
export const IS_FIRST = process.pid === 1;

/**
 * Makes the first process of a sandbox one that programs of the same user can neither end nor look into. The kernel
 * drops signals from within to process 1 where it has no handler, SIGKILL too (pid_namespaces(7)), so the runtime's own
 * handlers are taken away; a process that is not dumpable is neither traced nor read (ptrace(2)). It also takes note of
 * the end of programs that lost their parent.
 * @throws when the C library cannot be called
 */
export async function guardFirstProcess(): Promise<void> {
  const { ptr } = await import("bun:ffi");
  const library = await requireCLibrary(SYMBOLS);
  if (library.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) !== 0) throw new Error("The process cannot be shielded.");
  for (const signal of FATAL) library.signal(signal, null);
  const info = Buffer.alloc(SIGINFO_BYTES);
  const reap = (): void => {
    for (let count = 0; count < MAX_REAPED; count++) {
      info.fill(0);
      if (library.waitid(P_ALL, 0, ptr(info), WEXITED | WNOHANG | WNOWAIT) !== 0) return;
      const pid = info.readInt32LE(SIGINFO_PID);
      // What was started here is waited for where it was started; its end comes soon, and with it the next look.
      if (pid === 0) return;
      if (isOwnChild(pid)) return later();
      library.waitpid(pid, null, WNOHANG);
    }
  };
  let timer: NodeJS.Timeout | undefined;
  const later = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      reap();
    }, REAP_AFTER_MS);
  };
  process.on("SIGCHLD", later);
}
