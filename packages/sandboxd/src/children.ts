import { writeFileSync } from "node:fs";

const own = new Set<number>();

/** The highest. Source: proc_pid_oom_score_adj(5) */
const FIRST_TO_GO = "1000";

/**
 * Notes a program that this process started and waits for itself. The caller says by the answer when it has ended. Where
 * memory runs out, the kernel ends it, or what it started, before this process.
 */
export function ownChild(pid: number | undefined): () => void {
  if (pid === undefined) return () => {};
  own.add(pid);
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, FIRST_TO_GO);
  } catch {
    // It has ended already.
  }
  return () => own.delete(pid);
}

/** Whether a child of this process was started here. Others lost their parent and came to process 1. */
export function isOwnChild(pid: number): boolean {
  return own.has(pid);
}
