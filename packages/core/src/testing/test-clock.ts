import type { Clock } from "../ports/clock.ts";

export type TestClock = Clock & {
  /** Moves time on and wakes the sleepers that are due. */
  advance(ms: number): void;
  /** Lengths of all sleeps so far, in order. */
  readonly sleeps: readonly number[];
};

/** A clock that stands still but for `advance`; sleeps up to `skipUpToMs` move it on by themselves. */
export function testClock({ skipUpToMs = 10_000, startMs = 1_000_000 } = {}): TestClock {
  let nowMs = startMs;
  const sleeps: number[] = [];
  const sleepers = new Set<{ readonly dueMs: number; readonly wake: () => void }>();
  return {
    sleeps,
    now: () => nowMs,
    sleep(ms, signal) {
      sleeps.push(ms);
      if (signal.aborted) return Promise.reject(signal.reason);
      if (ms <= skipUpToMs) {
        nowMs += ms;
        return Promise.resolve();
      }
      return new Promise((resolve, reject) => {
        const sleeper = { dueMs: nowMs + ms, wake: () => resolve() };
        sleepers.add(sleeper);
        signal.addEventListener("abort", () => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        });
      });
    },
    advance(ms) {
      nowMs += ms;
      for (const sleeper of sleepers) {
        if (sleeper.dueMs > nowMs) continue;
        sleepers.delete(sleeper);
        sleeper.wake();
      }
    },
  };
}
