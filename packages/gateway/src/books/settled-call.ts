import {
  NANO_USD_PER_USD,
  nanoUsd,
  type Admission,
  type LedgerEntry,
  type LedgerStart,
  type Settlement,
} from "../ports/books.ts";
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
  const rows = new Map<string, Tables["daily_spend"]>();
  for (const { call, settlement } of calls) {
    const group = { day: periodsOf(call.at).dayName, ...groupColumns(call.entry) };
    const key = JSON.stringify(Object.values(group));
    const { outcome, usage, costUsd, savedUsd, priced } = settlement;
    const sums = {
      calls: 1,
      failed: outcome === "failed" || outcome === "broken" ? 1 : 0,
      cached: outcome === "cached" ? 1 : 0,
      prompt_tokens: amount(promptTokens(usage)),
      answer_tokens: amount(answerTokens(usage)),
      cache_read_tokens: amount(usage.cacheReadTokens),
      cost_usd: costUsd,
      saved_usd: savedUsd,
      unpriced: priced ? 0 : 1,
    };
    rows.set(key, { ...group, ...added(rows.get(key), sums) });
  }
  return inOrder(rows);
}

/** What the calls add to what scopes have spent: a row for each scope and day, in that order. */
export function spendRows(calls: readonly SettledCall[]): Tables["scope_spend"][] {
  const rows = new Map<string, Tables["scope_spend"]>();
  for (const { call, used } of calls) {
    const { day, week, month } = periodsOf(call.at);
    const { nano } = used;
    if (nano === 0) continue;
    for (const scope of call.scopes) {
      const key = `${scope}\n${day}`;
      const sums = { day_nano: nano, week_nano: nano, month_nano: nano, total_nano: nano };
      rows.set(key, { scope, day, week, month, ...added(rows.get(key), sums) });
    }
  }
  return inOrder(rows);
}

function added<Sums extends Readonly<Record<string, number>>>(before: Sums | undefined, more: Sums): Sums {
  if (before === undefined) return more;
  return Object.fromEntries(Object.entries(more).map(([name, value]) => [name, (before[name] ?? 0) + value])) as Sums;
}

/** Whoever writes several rows does so in this order, so that no two wait for each other. */
const inOrder = <Row>(rows: ReadonlyMap<string, Row>): Row[] =>
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
