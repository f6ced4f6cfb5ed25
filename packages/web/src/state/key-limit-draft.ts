import { type BudgetPeriod, KeyLimits, type LimitStanding } from "@handrail/protocol/gateway";
import { formatMoney } from "./format.ts";

/** Limits of a key, a user or a team as typed. An empty field is no limit of its kind. */
export type KeyLimitDraft = {
  readonly budget: string;
  readonly period: BudgetPeriod;
  readonly requestsPerMinute: string;
  readonly tokensPerMinute: string;
  readonly parallel: string;
};

export const NO_KEY_LIMITS: KeyLimitDraft = {
  budget: "",
  period: "month",
  requestsPerMinute: "",
  tokensPerMinute: "",
  parallel: "",
};

/** Limits as one would type them. */
export function keyLimitDraft({ budget, requestsPerMinute, tokensPerMinute, parallel }: KeyLimits): KeyLimitDraft {
  const text = (value: number | undefined) => (value === undefined ? "" : String(value));
  return {
    budget: text(budget?.usd),
    period: budget?.period ?? "month",
    requestsPerMinute: text(requestsPerMinute),
    tokensPerMinute: text(tokensPerMinute),
    parallel: text(parallel),
  };
}

const COUNTS = [
  ["requestsPerMinute", "The limit of requests"],
  ["tokensPerMinute", "The limit of tokens"],
  ["parallel", "The limit of calls at a time"],
] as const;

/** The limits that were typed, or a sentence that says what is wrong. */
export function readKeyLimits(draft: KeyLimitDraft): KeyLimits | string {
  const budget = draft.budget.trim() === "" ? {} : { budget: { usd: Number(draft.budget), period: draft.period } };
  const counts = COUNTS.filter(([field]) => draft[field].trim() !== "").map(([field]) => [field, Number(draft[field])]);
  const read = KeyLimits.safeParse({ ...budget, ...Object.fromEntries(counts) });
  if (read.success) return read.data;
  const field = read.error.issues[0]?.path[0];
  const name = COUNTS.find(([one]) => one === field)?.[1];
  return name === undefined
    ? "The budget must be a number of dollars above 0."
    : `${name} must be a whole number above 0.`;
}

/** What each span of a budget is called. */
export const PERIODS: readonly { readonly value: BudgetPeriod; readonly label: string }[] = [
  { value: "day", label: "Day" },
  { value: "week", label: "Week" },
  { value: "month", label: "Month" },
  { value: "total", label: "In all" },
];

const SPANS: Readonly<Record<BudgetPeriod, string>> = {
  day: "a day",
  week: "a week",
  month: "a month",
  total: "in all",
};

/** Limits in a few words. */
export function describeKeyLimits({ budget, requestsPerMinute, tokensPerMinute, parallel }: KeyLimits): string {
  const parts = [
    budget === undefined ? [] : [`${formatMoney(budget.usd)} ${SPANS[budget.period]}`],
    requestsPerMinute === undefined ? [] : [`${exact(requestsPerMinute)} requests a minute`],
    tokensPerMinute === undefined ? [] : [`${exact(tokensPerMinute)} tokens a minute`],
    parallel === undefined ? [] : [`${parallel} at a time`],
  ].flat();
  return parts.length === 0 ? "no limits" : parts.join(", ");
}

/** A limit is what was set, to the last digit. */
const exact = (limit: number) => limit.toLocaleString("en");

/** Where a budget stands, from 0 to 1; null without one. */
export function budgetUsed(standings: readonly LimitStanding[]): number | null {
  const budget = standings.find(({ kind }) => kind === "budget");
  if (budget === undefined || budget.limit <= 0) return null;
  return Math.min(1, Math.max(0, 1 - budget.remaining / budget.limit));
}
