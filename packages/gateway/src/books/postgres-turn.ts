import { sql, type Kysely } from "kysely";
import type { Admission, TopUp, Verdict } from "../ports/ledger.ts";
import type { LimitState } from "../ports/limits.ts";
import { budgetReached, reachedLimit, statesOf } from "./admission-verdict.ts";
import { lockCounters, writeCounters, type Counters } from "./postgres-counters.ts";
import { correctLost } from "./postgres-late.ts";
import { wholeNumbers, writeLedger } from "./postgres-rows.ts";
import { giveBack, reserve, reserveMore, settleReserved, type ScopeCounter } from "./scope-counter.ts";
import { openCall, reservationRow, type SettledCall } from "./settled-call.ts";
import type { Tables } from "./tables.ts";

/** Calls that end, calls that may cost more, and calls that want to begin, counted in one transaction. */
export type Turn = {
  readonly settlements: readonly SettledCall[];
  readonly topUps: readonly TopUp[];
  readonly admissions: readonly Admission[];
};

/** What came of more for a call: `gone` when no such call is under way. */
export type ToppedUp = "reserved" | "gone" | { readonly reached: LimitState };

export type TurnTaken = {
  /** Of each admission, in their order; undefined for one whose id is taken. */
  readonly verdicts: readonly (Verdict | undefined)[];
  /** Of each of `topUps`, in their order. */
  readonly toppedUp: readonly ToppedUp[];
  /** Those that counted: the others had been settled before, if only as lost. */
  readonly settled: readonly SettledCall[];
};

/** The scopes that a turn counts for, each once. */
export function scopesOfTurn({ settlements, topUps, admissions }: Turn): readonly string[] {
  const ended = settlements.flatMap(({ call }) => call.scopes);
  const asked = [...topUps, ...admissions].flatMap(({ scopes }) => scopes.map(({ id }) => id));
  return [...new Set([...ended, ...asked])];
}

/**
 * What ends is counted first, so that its room is there for what begins. `committing` is called when from then on the
 * outcome is known only from the answer: a failure after it may have been a success.
 */
export async function takeTurn(
  db: Kysely<Tables>,
  turn: Turn,
  { replica, committing }: { readonly replica: string; readonly committing: () => void },
): Promise<TurnTaken> {
  return await db.transaction().execute(async (trx) => {
    const counters = await lockCounters(trx, scopesOfTurn(turn));
    const { settled, held } = await takeReservations(trx, turn.settlements);
    for (const { call, used } of settled) {
      const reserved = { ...call, nano: held.get(call.callId) ?? call.nano };
      for (const counter of touchedBy(call.scopes, counters)) settleReserved(counter, reserved, used);
    }
    const toppedUp = await holdMore(trx, turn.topUps, counters);
    const verdicts = turn.admissions.map((admission) => judge(admission, counters));
    const taken = await keepIds(trx, turn.admissions, { verdicts, replica, counters });
    await writeLedger(trx, settled);
    await correctLost(trx, without(turn.settlements, settled), (scopes) => touchedBy(scopes, counters));
    await writeCounters(trx, counters);
    committing();
    return { verdicts: taken, toppedUp, settled };
  });
}

function without(all: readonly SettledCall[], some: readonly SettledCall[]): readonly SettledCall[] {
  return some.length === all.length ? [] : all.filter((call) => !some.includes(call));
}

/** @throws Error for a scope without a row: counting without it would let through what should not be */
function touchedBy(scopes: readonly string[], counters: Counters): readonly ScopeCounter[] {
  return scopes.map((scope) => {
    const counter = counters.get(scope);
    if (counter === undefined) throw new Error("A scope has no counter in the database.");
    return counter;
  });
}

function judge(admission: Admission, counters: Counters): Verdict {
  const call = openCall(admission);
  const touched = touchedBy(call.scopes, counters);
  const reached = reachedLimit(admission, touched);
  if (reached) return { admitted: false, reached };
  for (const counter of touched) reserve(counter, call);
  return { admitted: true, limits: statesOf(admission.scopes, touched, admission.at) };
}

/** Whoever takes a call's reservation away counts the call; nobody else can, but for `correctLost`. */
async function takeReservations(trx: Kysely<Tables>, settlements: readonly SettledCall[]): Promise<Taken> {
  if (settlements.length === 0) return { settled: [], held: new Map() };
  const ids = settlements.map(({ call }) => call.callId);
  const removal = trx.deleteFrom("reservations").where(sql<boolean>`call_id = any(${ids}::text[])`);
  const rows = await removal.returning(["call_id", "nano"]).execute();
  const held = new Map(rows.map((row) => [row.call_id, row.nano]));
  const left = new Set(held.keys());
  return { settled: settlements.filter(({ call }) => left.delete(call.callId)), held };
}

/** What counted, and the money that each call held: its row knows of every top-up, whoever heard of it. */
type Taken = { readonly settled: readonly SettledCall[]; readonly held: ReadonlyMap<string, number> };

/** Reserves more for calls that have a reservation, as far as budgets go. */
async function holdMore(
  trx: Kysely<Tables>,
  topUps: readonly TopUp[],
  counters: Counters,
): Promise<readonly ToppedUp[]> {
  const results: ToppedUp[] = [];
  for (const more of topUps) {
    const ids = more.scopes.map(({ id }) => id);
    const touched = touchedBy(ids, counters);
    const reached = budgetReached(more, touched);
    if (reached) {
      results.push({ reached });
      continue;
    }
    const { moreNanoUsd: nano, callId } = more;
    const update = trx.updateTable("reservations").set({ nano: sql<number>`nano + ${nano}` });
    const [row] = await update.where("call_id", "=", callId).returning("call_id").execute();
    if (row) for (const counter of touched) reserveMore(counter, nano);
    results.push(row ? "reserved" : "gone");
  }
  return results;
}

type Judged = {
  readonly verdicts: readonly Verdict[];
  readonly replica: string;
  readonly counters: Counters;
};

async function keepIds(
  trx: Kysely<Tables>,
  admissions: readonly Admission[],
  { verdicts, replica, counters }: Judged,
): Promise<readonly (Verdict | undefined)[]> {
  const calls = admissions.filter((_, index) => verdicts[index]?.admitted).map(openCall);
  if (calls.length === 0) return verdicts;
  const rows = calls.map((call) => wholeNumbers(reservationRow(call, replica)));
  const insertion = trx.insertInto("reservations").values(rows);
  const kept = await insertion
    .onConflict((it) => it.doNothing())
    .returning("call_id")
    .execute();
  const ids = new Set(kept.map((row) => row.call_id));
  const refused = new Set(calls.filter(({ callId }) => !ids.has(callId)));
  for (const call of refused) for (const counter of touchedBy(call.scopes, counters)) giveBack(counter, call);
  const refusedIds = new Set([...refused].map(({ callId }) => callId));
  return verdicts.map((verdict, index) => (refusedIds.has(admissions[index]?.callId ?? "") ? undefined : verdict));
}
