import { AppError } from "@handrail/protocol/errors";
import type { Kysely } from "kysely";
import type { Admission, Ledger, TopUp } from "../ports/ledger.ts";
import type { LimitState } from "../ports/limits.ts";
import { statesOf } from "./admission-verdict.ts";
import { booksUnavailable } from "./books-unavailable.ts";
import type { CallLog } from "./call-log.ts";
import { readCounters } from "./postgres-counters.ts";
import { refusedCall, type PostgresQueue } from "./postgres-queue.ts";
import { withoutZeros } from "./postgres-session.ts";
import { counted, scopeCounter, type ScopeCounter } from "./scope-counter.ts";
import { openCall, settledCall, type OpenCall } from "./settled-call.ts";
import type { Tables } from "./tables.ts";

type Parts = {
  readonly queue: PostgresQueue;
  readonly log: CallLog;
  readonly db: Kysely<Tables>;
  readonly now: () => number;
};

/** A call is let through by the database, and its beginning and end stand in a file until the database knows its end. */
export function postgresLedger({
  queue,
  log,
  db,
  now,
}: Parts): Pick<Ledger, "admit" | "topUp" | "settle" | "states" | "counts"> {
  const open = new Map<string, OpenCall>();
  /** With what this replica settled. */
  const read = async (ids: readonly string[]): Promise<readonly ScopeCounter[]> => {
    await queue.flush();
    const counters = await readCounters(db, ids).catch((thrown: unknown) => Promise.reject(booksUnavailable(thrown)));
    return ids.map((id) => counters.get(id) ?? scopeCounter(undefined));
  };
  return {
    async admit(given) {
      const admission = storable(given);
      const call = openCall(admission);
      if (open.has(call.callId)) throw new AppError("bad_request", "A call with this id is under way.");
      open.set(call.callId, call);
      try {
        const verdict = await queue.admit(admission);
        if (!verdict.admitted) open.delete(call.callId);
        else await log.opened(call).catch((thrown: unknown) => giveUp(queue, call, { at: now(), thrown }));
        return verdict;
      } catch (thrown) {
        open.delete(call.callId);
        throw thrown;
      }
    },
    topUp: (more) => topUp({ open, queue, log }, more),
    settle(settlement) {
      const call = open.get(settlement.callId);
      if (call === undefined) return;
      open.delete(settlement.callId);
      log.ended(settlement);
      queue.settle(settledCall(call, settlement));
    },
    async states(scopes) {
      const cleaned = scopes.map(cleanScope);
      const touched = await read(cleaned.map(({ id }) => id));
      return statesOf(cleaned, touched, now());
    },
    async counts(scopes) {
      const touched = await read(scopes.map(withoutZeros));
      return touched.map((counter, index) => ({ scope: scopes[index] ?? "", ...counted(counter) }));
    },
  };
}

type Topping = Pick<Parts, "queue" | "log"> & { readonly open: Map<string, OpenCall> };

async function topUp({ open, queue, log }: Topping, given: TopUp): Promise<LimitState | undefined> {
  const call = open.get(given.callId);
  if (call === undefined) throw new AppError("bad_request", "No call with this id is under way.");
  const reached = await queue.topUp(storable(given));
  if (reached) return reached;
  const more = { ...call, nano: call.nano + given.moreNanoUsd };
  open.set(call.callId, more);
  await log.opened(more);
  return undefined;
}

function giveUp(queue: PostgresQueue, call: OpenCall, { at, thrown }: { at: number; thrown: unknown }): never {
  queue.settle(refusedCall(call, at));
  throw thrown;
}

const cleanScope = <Scope extends { readonly id: string }>(scope: Scope): Scope => ({
  ...scope,
  id: withoutZeros(scope.id),
});

const storable = <Given extends Pick<Admission, "scopes">>(given: Given): Given => ({
  ...given,
  scopes: given.scopes.map(cleanScope),
});
