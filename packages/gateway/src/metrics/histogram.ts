/** LiteLLM's, in seconds. */
export const LATENCY_BUCKETS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 420, 600,
] as const;

/** How often values fell below each bound; `counts` has one place more, for what is above all of them. Not cumulative. */
export type Histogram = { readonly counts: Float64Array; sum: number; count: number };

export function emptyHistogram(): Histogram {
  return { counts: new Float64Array(LATENCY_BUCKETS.length + 1), sum: 0, count: 0 };
}

/** Negative values, as of a clock that was set back, count as 0. */
export function observe(histogram: Histogram, seconds: number): void {
  const value = Math.max(0, seconds);
  const found = LATENCY_BUCKETS.findIndex((bound) => value <= bound);
  const at = found < 0 ? LATENCY_BUCKETS.length : found;
  histogram.counts[at] = (histogram.counts[at] ?? 0) + 1;
  histogram.sum += value;
  histogram.count += 1;
}

/** Adds what `from` counted to `into`. */
export function addHistogram(into: Histogram, from: Histogram): void {
  from.counts.forEach((count, index) => {
    into.counts[index] = (into.counts[index] ?? 0) + count;
  });
  into.sum += from.sum;
  into.count += from.count;
}
