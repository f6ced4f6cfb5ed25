/** A billionth of a US dollar. Budgets are counted in whole ones, each amount rounded up, so sums are exact. */
export type NanoUsd = number;

export const NANO_USD_PER_USD = 1_000_000_000;

/** Rounded up. */
export function nanoUsd(usd: number): NanoUsd {
  // The product of two doubles may lie a hair above the whole number that is meant.
  return Math.ceil(Number((usd * NANO_USD_PER_USD).toFixed(3)));
}
