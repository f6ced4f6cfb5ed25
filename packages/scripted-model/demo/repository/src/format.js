import { UNITS } from "./units.js";

/** Writes seconds as a text such as "1h 30m". */
export function format(seconds) {
  if (!Number.isFinite(seconds) || seconds < 0) throw new RangeError(`Not a duration: ${seconds}`);
  const parts = [];
  let rest = seconds;
  for (const { symbol, size } of UNITS) {
    const count = size === 1 ? Math.round(rest) : Math.floor(rest / size);
    if (count > 0) parts.push(`${count}${symbol}`);
    rest -= count * size;
  }
  return parts.join(" ") || "0s";
}
