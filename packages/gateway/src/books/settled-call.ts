import type { Admission, LedgerEntry, LedgerStart, Settlement } from "../ports/ledger.ts";
import { NANO_USD_PER_USD, nanoUsd } from "../ports/money.ts";
import { answerTokens, NO_TOKENS, promptTokens } from "../ports/token-usage.ts";
import { periodsOf } from "./periods.ts";
import type { Tables } from "./tables.ts";

/** A call that was let through and not yet settled. */
export type OpenCall = {
  readonly callId: string;
  readonly at: number;
  readonly nano: number;
  readonly tokens: number;
  readonly scopes: readonly string[];
  readonly entry: LedgerStart;
};

/** A call whose outcome is known, as the books count it. */
export type SettledCall = {
  readonly call: OpenCall;
  readonly settlement: Settlement;
  readonly used: { readonly nano: number; readonly tokens: number };
};

/** The reservation of an admission. */
export function openCall(admission: Admission): OpenCall {
  const { callId, at, reserveNanoUsd, reserveTokens, scopes, entry } = admission;
  return { callId, at, nano: reserveNanoUsd, tokens: reserveTokens, scopes: scopes.map(({ id }) => id), entry };
}

/** Puts a call and its outcome together. Amounts that are no numbers count as zero: a row must always be writable. */
export function settledCall(call: OpenCall, given: Settlement): SettledCall {
  const settlement = { ...given, costUsd: amount(given.costUsd), savedUsd: amount(given.savedUsd) };
  const lost = settlement.outcome === "lost";
  const tokens = lost ? call.tokens : amount(promptTokens(settlement.usage) + answerTokens(settlement.usage));
  return { call, settlement, used: { nano: lost ? call.nano : nanoUsd(settlement.costUsd), tokens } };
}

/** The outcome of a call of which nothing is known: its reservation is its cost. */
export function lostCall(call: OpenCall, at: number): SettledCall {
  return settledCall(call, {
    callId: call.callId,
    at,
    outcome: "lost",
    usage: NO_TOKENS,
    costUsd: call.nano / NANO_USD_PER_USD,
    savedUsd: 0,
    estimated: true,
    priced: true,
    status: 0,
    latencyMs: Math.max(0, at - call.at),
    retries: 0,
    fallbacks: 0,
  });
}

export function reservationRow(call: OpenCall, processId: string): Tables["reservations"] {
  const { callId, at, nano, tokens, scopes, entry } = call;
  return {
    call_id: callId,
    process_id: processId,
    at,
    nano,
    tokens,
    scopes: JSON.stringify(scopes),
    entry: JSON.stringify(entry),
  };
}

export function fromReservationRow(row: Tables["reservations"]): OpenCall {
  const { call_id: callId, at, nano, tokens } = row;
  return { callId, at, nano, tokens, scopes: JSON.parse(row.scopes), entry: JSON.parse(row.entry) };
}

export function ledgerRow({ call, settlement, used }: SettledCall): Tables["ledger"] {
  const entry: LedgerEntry = { ...call.entry, ...settlement, startedAt: call.at };
  return {
    call_id: call.callId,
    started_at: call.at,
    ...groupColumns(call.entry),
    outcome: settlement.outcome,
    tokens: used.tokens,
    nano: used.nano,
    scopes: JSON.stringify(call.scopes),
    entry: JSON.stringify(entry),
  };
}

/** What the calls add to the daily sums, a row for each group that they are in, in the order of its key. */
export function dailyRows(calls: readonly SettledCall[]): Tables["daily_spend"][] {
  const rows = new Map<string, Row<Tables["daily_spend"]>>();
  for (const { call, settlement } of calls) {
    const { dayName: day } = periodsOf(call.at);
    const group = groupColumns(call.entry);
    const row = rowAt(rows, JSON.stringify([day, group]), () => ({ day, ...group, ...NO_SUMS }));
    addTo(row, settlement);
  }
  return inOrder(rows);
}

type Row<Of> = { -readonly [Column in keyof Of]: Of[Column] };

const NO_SUMS = {
  calls: 0,
  failed: 0,
  cached: 0,
  prompt_tokens: 0,
  answer_tokens: 0,
  cache_read_tokens: 0,
  cost_usd: 0,
  saved_usd: 0,
  unpriced: 0,
};

function addTo(row: typeof NO_SUMS, { outcome, usage, costUsd, savedUsd, priced }: Settlement): void {
  row.calls += 1;
  row.failed += outcome === "failed" || outcome === "broken" ? 1 : 0;
  row.cached += outcome === "cached" ? 1 : 0;
  row.prompt_tokens += amount(promptTokens(usage));
  row.answer_tokens += amount(answerTokens(usage));
  row.cache_read_tokens += amount(usage.cacheReadTokens);
  row.cost_usd += costUsd;
  row.saved_usd += savedUsd;
  row.unpriced += priced ? 0 : 1;
}

/** What the calls add to what scopes have spent: a row for each scope and day, in that order. */
export function spendRows(calls: readonly SettledCall[]): Tables["scope_spend"][] {
  const rows = new Map<string, Row<Tables["scope_spend"]>>();
  for (const { call, used } of calls) {
    const { day, week, month } = periodsOf(call.at);
    const { nano } = used;
    if (nano === 0) continue;
    for (const scope of call.scopes) {
      const row = rowAt(rows, `${scope}\n${day}`, () => ({ scope, day, week, month, ...NO_NANO }));
      row.day_nano += nano;
      row.week_nano += nano;
      row.month_nano += nano;
      row.total_nano += nano;
    }
  }
  return inOrder(rows);
}

const NO_NANO = { day_nano: 0, week_nano: 0, month_nano: 0, total_nano: 0 };

/** The row with that key, which is made when there is none. */
function rowAt<Of>(rows: Map<string, Of>, key: string, make: () => Of): Of {
  const known = rows.get(key);
  if (known) return known;
  const made = make();
  rows.set(key, made);
  return made;
}

/** Whoever writes several rows does so in this order, so that no two wait for each other. */
const inOrder = <Of>(rows: ReadonlyMap<string, Of>): Of[] =>
  [...rows].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, row]) => row);

/** What calls are grouped by. A call of a team's own key is the team's too. */
function groupColumns({ keyId, ownerKind, ownerId, teamId, conversationId, model }: LedgerStart) {
  return {
    key_id: keyId,
    owner_kind: ownerKind,
    owner_id: ownerId,
    team_id: teamId ?? (ownerKind === "team" ? ownerId : ""),
    conversation_id: conversationId ?? "",
    model,
  };
}

const amount = (value: number): number => (Number.isFinite(value) && value > 0 ? value : 0);
