import type { BudgetPeriod } from "../ports/limits.ts";

const DAY_MS = 86_400_000;
// The epoch was a Thursday.
const DAYS_FROM_MONDAY = 3;

/** Where the day, week and month of an instant begin, and the next ones. Unix milliseconds, UTC. */
export type Periods = {
  readonly day: number;
  readonly nextDay: number;
  readonly week: number;
  readonly nextWeek: number;
  readonly month: number;
  readonly nextMonth: number;
  /** `2026-11-25` */
  readonly dayName: string;
};

let latest: Periods = periodsOfDay(0);

/** The periods that hold this instant. Weeks begin on Monday. */
export function periodsOf(at: number): Periods {
  const day = Math.floor(at / DAY_MS);
  if (day * DAY_MS !== latest.day) latest = periodsOfDay(day);
  return latest;
}

/** When a budget of that period starts again; undefined for a total. */
export function periodEnd(period: BudgetPeriod, at: number): number | undefined {
  const { nextDay, nextWeek, nextMonth } = periodsOf(at);
  return { day: nextDay, week: nextWeek, month: nextMonth, total: undefined }[period];
}

function periodsOfDay(day: number): Periods {
  const start = day * DAY_MS;
  const week = start - ((((day + DAYS_FROM_MONDAY) % 7) + 7) % 7) * DAY_MS;
  const date = new Date(start);
  return {
    day: start,
    nextDay: start + DAY_MS,
    week,
    nextWeek: week + 7 * DAY_MS,
    month: Date.UTC(date.getUTCFullYear(), date.getUTCMonth()),
    nextMonth: Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1),
    dayName: date.toISOString().slice(0, 10),
  };
}
