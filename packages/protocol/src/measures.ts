const BYTES: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** Of a size as `512m` or `4g` (powers of 1,024), the bytes; undefined when it is none. */
export function bytesOf(text: string): number | undefined {
  const match = /^(\d+)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim());
  const bytes = Number(match?.[1]) * (BYTES[match?.[2]?.toLowerCase() ?? ""] ?? Number.NaN);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}

const MILLISECONDS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Of a time as `90s`, `30m`, `2h` or `1d`, the milliseconds; undefined when it is none. */
export function millisecondsOf(text: string): number | undefined {
  const match = /^(\d+)\s*([smhd])$/i.exec(text.trim());
  const milliseconds = Number(match?.[1]) * (MILLISECONDS[match?.[2]?.toLowerCase() ?? ""] ?? Number.NaN);
  return milliseconds > 0 ? milliseconds : undefined;
}
