const SECONDS = 60;

/** What was used in the current second and the 59 before it. Seconds count whole. */
export type MinuteWindow = {
  /** Adds, or with a negative amount takes back what was added at that time. What has left the window stays out. */
  add(at: number, amount: number): void;
  used(now: number): number;
  /** When at least `amount` of what is used will have left: Unix milliseconds. When all has, if there is not that much. */
  freeAt(now: number, amount: number): number;
  /** What `add` takes to make the same window again. */
  added(): (readonly [at: number, amount: number])[];
};

/** An empty window. */
export function minuteWindow(): MinuteWindow {
  const slices = new Float64Array(SECONDS);
  let newest = 0;
  let total = 0;

  const clear = (second: number): void => {
    total -= slices[second % SECONDS] ?? 0;
    slices[second % SECONDS] = 0;
  };
  const advance = (now: number): void => {
    const second = Math.floor(now / 1000);
    if (second <= newest) return;
    if (second - newest >= SECONDS) {
      slices.fill(0);
      total = 0;
    } else {
      for (let passed = newest + 1; passed <= second; passed++) clear(passed);
    }
    newest = second;
  };

  return {
    add(at, amount) {
      advance(at);
      const second = Math.floor(at / 1000);
      if (newest - second >= SECONDS) return;
      slices[second % SECONDS] = (slices[second % SECONDS] ?? 0) + amount;
      total += amount;
    },
    used(now) {
      advance(now);
      return total;
    },
    freeAt(now, amount) {
      advance(now);
      return lastToLeave(slices, newest, amount) + SECONDS * 1000;
    },
    added: () => usedSeconds(slices, newest),
  };
}

/** The second, in milliseconds, with which that much has left; that of the last use, when there is less. */
function lastToLeave(slices: Float64Array, newest: number, amount: number): number {
  let freed = 0;
  let last = newest - SECONDS;
  for (let second = newest - SECONDS + 1; second <= newest; second++) {
    const slice = slices[second % SECONDS] ?? 0;
    if (slice > 0) last = second;
    freed += slice;
    if (freed >= amount && slice > 0) break;
  }
  return last * 1000;
}

function usedSeconds(slices: Float64Array, newest: number): (readonly [at: number, amount: number])[] {
  const seconds = Array.from({ length: SECONDS }, (_, index) => newest - SECONDS + 1 + index);
  return seconds.flatMap((second) => {
    const amount = second < 0 ? 0 : (slices[second % SECONDS] ?? 0);
    return amount === 0 ? [] : [[second * 1000, amount] as const];
  });
}
