import type { SpendGroup, SpendRow } from "./gateway.ts";

const COLUMNS = [
  "label",
  "calls",
  "failed",
  "cached",
  "promptTokens",
  "answerTokens",
  "cacheReadTokens",
  "costUsd",
  "savedUsd",
  "unpriced",
] as const satisfies readonly (keyof SpendRow)[];

/** Sums as comma-separated values (RFC 4180), with a header line. Money in US dollars, exactly as it is kept. */
export function spendCsv(by: SpendGroup, rows: readonly SpendRow[]): string {
  const lines = rows.map((row) => [row.group, ...COLUMNS.map((name) => row[name])].map(field).join(","));
  return [[by, ...COLUMNS].join(","), ...lines, ""].join("\r\n");
}

/** A text that a spreadsheet would take for a formula gets a quote before it. */
function field(value: string | number): string {
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
