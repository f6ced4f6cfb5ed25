import type { Row } from "./transcript-rows.ts";

/**
 * Where the next or previous call is, seen from the row with this key; from none, the last call whichever way. Null
 * when there is no further one.
 */
export function nextCallRow(rows: readonly Row[], from: string | null, step: 1 | -1): number | null {
  const at = from === null ? -1 : rows.findIndex((row) => row.key === from);
  if (at === -1) {
    const last = rows.findLastIndex(isCall);
    return last === -1 ? null : last;
  }
  for (let index = at + step; index >= 0 && index < rows.length; index += step) {
    const row = rows[index];
    if (row !== undefined && isCall(row)) return index;
  }
  return null;
}

const isCall = (row: Row) => row.kind === "call" || row.kind === "calls";
