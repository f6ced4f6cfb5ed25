import type { ScopeCount } from "../ports/ledger.ts";
import type { BookLimits, BudgetPeriod, LimitedScope, LimitKind, LimitState } from "../ports/limits.ts";
import { NANO_USD_PER_USD } from "../ports/money.ts";
import { minuteWindow, type MinuteWindow } from "./minute-window.ts";
import { periodEnd, periodsOf } from "./periods.ts";

type Spend = ScopeCount["spent"];

/** What a call takes from a scope until it is settled. */
export type Reserved = { readonly at: number; readonly nano: number; readonly tokens: number };

/** What a scope has used and reserved, in memory. */
export type ScopeCounter = {
  /** Calls under way, and settlements that are counted here but not yet written. */
  pinned: number;
  touchedAt: number;
  inFlight: number;
  reservedNano: number;
  readonly spent: { -readonly [Field in keyof Spend]: Spend[Field] };
  readonly requests: MinuteWindow;
  readonly tokens: MinuteWindow;
};

const NOTHING: Spend = { day: 0, day_nano: 0, week: 0, week_nano: 0, month: 0, month_nano: 0, total_nano: 0 };

/** A counter that begins with what the database has of the scope. */
export function scopeCounter(stored: Spend | undefined): ScopeCounter {
  return {
    pinned: 0,
    touchedAt: 0,
    inFlight: 0,
    reservedNano: 0,
    spent: { ...(stored ?? NOTHING) },
    requests: minuteWindow(),
    tokens: minuteWindow(),
  };
}

/** All that a counter holds, to be kept or sent. */
export function counted({ spent, inFlight, reservedNano, requests, tokens }: ScopeCounter): Omit<ScopeCount, "scope"> {
  return { spent: { ...spent }, inFlight, reservedNano, requests: requests.added(), tokens: tokens.added() };
}

/** The counter that `counted` was made of. */
export function recounted({
  spent,
  inFlight,
  reservedNano,
  requests,
  tokens,
}: Omit<ScopeCount, "scope">): ScopeCounter {
  const counter = scopeCounter(spent);
  counter.inFlight = inFlight;
  counter.reservedNano = reservedNano;
  for (const [at, amount] of requests) counter.requests.add(at, amount);
  for (const [at, amount] of tokens) counter.tokens.add(at, amount);
  return counter;
}

/** Counts a call that was let through. */
export function reserve(counter: ScopeCounter, { at, nano, tokens }: Reserved): void {
  counter.inFlight++;
  counter.reservedNano += nano;
  counter.requests.add(at, 1);
  counter.tokens.add(at, tokens);
}

/** Counts more money for a call that was let through. */
export function reserveMore(counter: ScopeCounter, nano: number): void {
  counter.reservedNano += nano;
}

/** Undoes `reserve`, as if the call had never been. */
export function giveBack(counter: ScopeCounter, { at, nano, tokens }: Reserved): void {
  counter.inFlight--;
  counter.reservedNano -= nano;
  counter.requests.add(at, -1);
  counter.tokens.add(at, -tokens);
}

/** Replaces the reservation by what was used; the money counts in the periods in which the call began. */
export function settleReserved(
  counter: ScopeCounter,
  reserved: Reserved,
  used: { nano: number; tokens: number },
): void {
  counter.inFlight--;
  counter.reservedNano -= reserved.nano;
  counter.tokens.add(reserved.at, used.tokens - reserved.tokens);
  spend(counter, reserved.at, used.nano);
}

/** Adds to what a settled call used, or takes away from it. */
export function correct(counter: ScopeCounter, at: number, more: { nano: number; tokens: number }): void {
  counter.tokens.add(at, more.tokens);
  spend(counter, at, more.nano);
}

function spend({ spent }: ScopeCounter, at: number, nano: number): void {
  rollOver(spent, at);
  const { day, week, month } = periodsOf(at);
  if (day === spent.day) spent.day_nano += nano;
  if (week === spent.week) spent.week_nano += nano;
  if (month === spent.month) spent.month_nano += nano;
  spent.total_nano += nano;
}

/** A clock that goes back opens no earlier period again. */
function rollOver(spent: ScopeCounter["spent"], now: number): void {
  const { day, week, month } = periodsOf(now);
  if (day > spent.day) Object.assign(spent, { day, day_nano: 0 });
  if (week > spent.week) Object.assign(spent, { week, week_nano: 0 });
  if (month > spent.month) Object.assign(spent, { month, month_nano: 0 });
}

/** What is asked for: an admission's reservation, or nothing to only look. */
export type Asked = { readonly calls: number; readonly nano: number; readonly tokens: number };

/** The first limit that what is asked for would pass; parallel calls first, money last. Undefined when it fits. */
export function firstReached(
  scope: LimitedScope,
  counter: ScopeCounter,
  asked: Asked & { at: number },
): LimitState | undefined {
  const { parallel, requestsPerMinute, tokensPerMinute, budget } = scope.limits;
  const { at } = asked;
  if (parallel !== undefined && counter.inFlight + asked.calls > parallel)
    return state(scope, counter, "parallel", asked);
  if (requestsPerMinute !== undefined && counter.requests.used(at) + asked.calls > requestsPerMinute) {
    return state(scope, counter, "requests", asked);
  }
  if (tokensPerMinute !== undefined && counter.tokens.used(at) + asked.tokens > tokensPerMinute) {
    return state(scope, counter, "tokens", asked);
  }
  return budget && reachedBudget(scope, counter, asked);
}

/** The scope's budget where so much more money would pass it; undefined when it fits. */
export function reachedBudget(
  scope: LimitedScope,
  counter: ScopeCounter,
  asked: Asked & { at: number },
): LimitState | undefined {
  const { budget } = scope.limits;
  if (budget === undefined) return undefined;
  const used = spentIn(counter, budget.period, asked.at) + counter.reservedNano;
  return used + asked.nano > budgetNano(budget.usd) ? state(scope, counter, "budget", asked) : undefined;
}

/** Where each limit of the scope stands. */
export function limitStates(scope: LimitedScope, counter: ScopeCounter, now: number): LimitState[] {
  const asked = { at: now, calls: 1, nano: 1, tokens: 1 };
  return KINDS.flatMap(([kind, limit]) =>
    scope.limits[limit] === undefined ? [] : [state(scope, counter, kind, asked)],
  );
}

const KINDS: readonly (readonly [LimitKind, keyof BookLimits])[] = [
  ["parallel", "parallel"],
  ["requests", "requestsPerMinute"],
  ["tokens", "tokensPerMinute"],
  ["budget", "budget"],
];

function state(scope: LimitedScope, counter: ScopeCounter, kind: LimitKind, asked: Asked & { at: number }): LimitState {
  const { parallel = 0, requestsPerMinute = 0, tokensPerMinute = 0, budget } = scope.limits;
  const { at } = asked;
  switch (kind) {
    case "parallel":
      return { scope: scope.id, kind, limit: parallel, remaining: left(parallel, counter.inFlight) };
    case "requests": {
      const used = counter.requests.used(at);
      const resetAt = counter.requests.freeAt(at, used + asked.calls - requestsPerMinute);
      return { scope: scope.id, kind, limit: requestsPerMinute, remaining: left(requestsPerMinute, used), resetAt };
    }
    case "tokens": {
      const used = counter.tokens.used(at);
      const resetAt = counter.tokens.freeAt(at, used + asked.tokens - tokensPerMinute);
      return { scope: scope.id, kind, limit: tokensPerMinute, remaining: left(tokensPerMinute, used), resetAt };
    }
    case "budget": {
      const { usd, period } = budget ?? { usd: 0, period: "total" };
      const used = spentIn(counter, period, at) + counter.reservedNano;
      const resetAt = periodEnd(period, at);
      const remaining = left(budgetNano(usd), used) / NANO_USD_PER_USD;
      return { scope: scope.id, kind, limit: usd, remaining, ...(resetAt !== undefined && { resetAt }) };
    }
  }
}

const left = (limit: number, used: number): number => Math.max(0, limit - used);

/** A budget in billionths. Budgets that people set are whole in that unit, but for the error of a double. */
export const budgetNano = (usd: number): number => Math.round(usd * NANO_USD_PER_USD);

function spentIn({ spent }: ScopeCounter, period: BudgetPeriod, now: number): number {
  rollOver(spent, now);
  return { day: spent.day_nano, week: spent.week_nano, month: spent.month_nano, total: spent.total_nano }[period];
}
