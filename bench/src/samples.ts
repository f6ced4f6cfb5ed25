/** The value below which `share` (0 to 1) of the values lie, by nearest rank. NaN when there are none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => percentile(values, 0.5);

export type Spread = { readonly p50: number; readonly p99: number };

/** Median and 99th percentile of one repetition. */
export const spreadOf = (values: readonly number[]): Spread => ({
  p50: percentile(values, 0.5),
  p99: percentile(values, 0.99),
});

/** The middle of several repetitions: the median of their medians, and of their 99th percentiles. */
export const middleOf = (repetitions: readonly (readonly number[])[]): Spread => ({
  p50: median(repetitions.map((values) => percentile(values, 0.5))),
  p99: median(repetitions.map((values) => percentile(values, 0.99))),
});

/** The results of `work`, one after another; those of the first `warmUp` are thrown away. */
export async function repeat<Result>(
  { times, warmUp }: { readonly times: number; readonly warmUp: number },
  work: (index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let index = 0; index < warmUp + times; index++) {
    const result = await work(index);
    if (index >= warmUp) results.push(result);
  }
  return results;
}

/** How long `work` takes, in milliseconds. */
export async function timed(work: () => unknown): Promise<number> {
  const before = performance.now();
  await work();
  return performance.now() - before;
}
