import type { Clock } from "@handrail/core/ports/clock";

/** Whether `key` may try once more now. */
export type RateLimit = (key: string) => boolean;

const MAX_KEYS = 10_000;

/** At most `tries` in any `windowMs` for each key; over `MAX_KEYS` keys at once, everybody waits. */
export function rateLimit(tries: number, windowMs: number, clock: Pick<Clock, "now">): RateLimit {
  const recent = new Map<string, number[]>();
  return (key) => {
    const now = clock.now();
    for (const [other, times] of recent) if ((times.at(-1) ?? 0) <= now - windowMs) recent.delete(other);
    const times = (recent.get(key) ?? []).filter((time) => time > now - windowMs);
    if (times.length >= tries || (times.length === 0 && recent.size >= MAX_KEYS)) return false;
    recent.set(key, [...times, now]);
    return true;
  };
}
