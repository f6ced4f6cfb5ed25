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

/** A call's part of the daily sums. */
export function dailyRow({ call, settlement }: SettledCall): Tables["daily_spend"] {
  const { outcome, usage, costUsd, savedUsd, priced } = settlement;
  return {
    day: periodsOf(call.at).dayName,
    ...groupColumns(call.entry),
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
}

/** A call's part of what its scopes have spent. */
export function spendRow({ call, used }: SettledCall): Omit<Tables["scope_spend"], "scope"> {
  const { day, week, month } = periodsOf(call.at);
  const { nano } = used;
  return { day, day_nano: nano, week, week_nano: nano, month, month_nano: nano, total_nano: nano };
}

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
