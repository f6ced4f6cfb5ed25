/**
 * Milliseconds to wait before the next try after `failures` tries failed in a row (1: the first failed). Doubles from
 * 250 ms to 10 s; a random half of it is left out, so that many clients do not return at the same instant.
 * `random` is in [0, 1).
 */
export function reconnectDelayMs(failures: number, random: number): number {
  const full = Math.min(10_000, 250 * 2 ** Math.min(failures - 1, 10));
  return Math.round(full * (1 - random / 2));
}
