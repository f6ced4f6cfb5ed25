import { writeFileSync } from "node:fs";

const own = new Set<number>();

/** The highest. Source: proc_pid_oom_score_adj(5) */
const FIRST_TO_GO = "1000";
const AGAIN_MS = 100;
const ATTEMPTS = 20;

/**
 * Notes a program that this process started and waits for itself. The caller says by the answer when it has ended. Where
 * memory runs out, the kernel ends it, or what it started, before this process.
 */
export function ownChild(pid: number | undefined, write: WriteText = writeFileSync): () => void {
  if (pid === undefined) return () => {};
  own.add(pid);
  mark(pid, write, ATTEMPTS);
  return () => own.delete(pid);
}

type WriteText = (path: string, text: string) => void;

/** The system refuses for a moment where there is just no memory left. */
function mark(pid: number, write: WriteText, attempts: number): void {
  if (!own.has(pid)) return;
  try {
    write(`/proc/${pid}/oom_score_adj`, FIRST_TO_GO);
  } catch {
    // Or it has ended already, which is told soon.
    if (attempts > 1) setTimeout(() => mark(pid, write, attempts - 1), AGAIN_MS).unref();
  }
}

/** Whether a child of this process was started here. Others lost their parent and came to process 1. */
export function isOwnChild(pid: number): boolean {
  return own.has(pid);
}
