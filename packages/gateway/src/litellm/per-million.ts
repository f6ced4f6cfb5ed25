/**
 * A price of one token as the price of a million, moved by its decimal point: `3e-7` becomes 0.3 and not the
 * 0.30000000000000004 or 0.29999999999999999 that a product may give.
 */
export function perMillion(perToken: number): number {
  const [digits = "0", exponent = "0"] = String(perToken).split("e");
  return Number(`${digits}e${Number(exponent) + 6}`);
}
