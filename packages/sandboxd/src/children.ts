const own = new Set<number>();

/** Notes a program that this process started and waits for itself. The caller says by the answer when it has ended. */
export function ownChild(pid: number | undefined): () => void {
  if (pid === undefined) return () => {};
  own.add(pid);
  return () => own.delete(pid);
}

/** Whether a child of this process was started here. Others lost their parent and came to process 1. */
export function isOwnChild(pid: number): boolean {
  return own.has(pid);
}
