/** The clock that a connection lives by; the platform's own unless a test passes another. Milliseconds. */
export type Timers = {
  now(): number;
  /** Calls back once after the delay; the answer cancels. */
  after(delayMs: number, callback: () => void): () => void;
};

export const platformTimers: Timers = {
  now: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
