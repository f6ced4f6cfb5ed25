/** What Ctrl-C does to a command that is under way. */
export type Interrupts = {
  /** Aborted by the first interrupt. Its reason is an `Interrupted`. */
  readonly signal: AbortSignal;
  /** Lets go of the process's signals. */
  release(): void;
};

/** The user pressed Ctrl-C, or the process was asked to end. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

const SAME_PRESS_MS = 100;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Turns interrupts into an abort signal, and the second one into `exitNow`. Two that come within 100 ms are one: a
 * terminal and a parent process may both pass the same press on.
 */
export function takeInterrupts(exitNow: () => void): Interrupts {
  const controller = new AbortController();
  let firstAt = 0;
  const onSignal = () => {
    const now = performance.now();
    if (!controller.signal.aborted) {
      firstAt = now;
      controller.abort(new Interrupted());
    } else if (now - firstAt > SAME_PRESS_MS) exitNow();
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    signal: controller.signal,
    release() {
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}
