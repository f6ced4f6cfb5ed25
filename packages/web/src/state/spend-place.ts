import { SpendGroup } from "@handrail/protocol/gateway";

/** How many days back, today included. */
export const SPANS = [7, 30, 90] as const;
export type Span = (typeof SPANS)[number];

/** What of the spend is shown, as the URL says it. */
export type SpendPlace = { readonly by?: SpendGroup; readonly days?: Span };

/** Reads the URL; what it does not know, it leaves out. */
export function readSpendPlace(search: Readonly<Record<string, unknown>>): SpendPlace {
  const by = SpendGroup.safeParse(search["by"]);
  const days = SPANS.find((span) => span === Number(search["days"]));
  return { ...(by.success && { by: by.data }), ...(days !== undefined && { days }) };
}

const DAY_MS = 86_400_000;

/** Midnight UTC of the first of the last `days` days, today included. Unix milliseconds. */
export function startOf(days: number, nowMs: number): number {
  return (Math.floor(nowMs / DAY_MS) - days + 1) * DAY_MS;
}

/** The last `days` days, today included, as `2026-11-25`, oldest first. */
export function daysUntil(days: number, nowMs: number): readonly string[] {
  const first = startOf(days, nowMs);
  return Array.from({ length: days }, (_, index) => new Date(first + index * DAY_MS).toISOString().slice(0, 10));
}
