import { AppError } from "@handrail/protocol/errors";
import type { Ledger, Settlement, TopUp } from "../ports/ledger.ts";
import type { LimitedScope, LimitState } from "../ports/limits.ts";
import { budgetReached, reachedLimit, statesOf } from "./admission-verdict.ts";
import { counted, giveBack, reserve, reserveMore, settleReserved } from "./scope-counter.ts";
import type { ScopeCounter } from "./scope-counter.ts";
import type { ScopeCounters } from "./scope-counters.ts";
import { openCall, settledCall, type OpenCall } from "./settled-call.ts";
import type { SqliteJournal } from "./sqlite-journal.ts";

type Parts = { readonly journal: SqliteJournal; readonly counters: ScopeCounters; readonly now: () => number };

type Under = { readonly call: OpenCall; readonly touched: readonly ScopeCounter[] };

/**
 * The counts of one process, in memory; a call is let through when its reservation is written. The rest of the port are
 * queries.
 */
export function sqliteLedger({
  journal,
  counters,
  now,
}: Parts): Pick<Ledger, "admit" | "topUp" | "settle" | "states" | "counts"> {
  const open = new Map<string, Under>();
  const touch = (scopes: readonly LimitedScope[], at: number) => scopes.map(({ id }) => counters.get(id, at));

  return {
    async admit(admission) {
      const { at, scopes } = admission;
      const touched = touch(scopes, at);
      const reached = reachedLimit(admission, touched);
      if (reached) return { admitted: false, reached };
      const call = openCall(admission);
      if (open.has(call.callId)) throw new AppError("bad_request", "A call with this id is under way.");
      open.set(call.callId, { call, touched });
      for (const counter of touched) take(counter, call);
      try {
        await journal.opened(call);
      } catch (thrown) {
        open.delete(call.callId);
        for (const counter of touched) release(counter, call);
        throw thrown;
      }
      return { admitted: true, limits: statesOf(scopes, touched, at) };
    },
    topUp: (more) => topUp({ open, journal, touched: touch(more.scopes, more.at) }, more),
    settle(settlement: Settlement) {
      const under = open.get(settlement.callId);
      if (under === undefined) return;
      open.delete(settlement.callId);
      const settled = settledCall(under.call, settlement);
      for (const counter of under.touched) settleReserved(counter, under.call, settled.used);
      journal.settled(settled, () => {
        for (const counter of under.touched) counter.pinned--;
      });
    },
    async states(scopes) {
      return statesOf(scopes, touch(scopes, now()), now());
    },
    async counts(scopes) {
      return scopes.map((scope) => ({ scope, ...counted(counters.get(scope, now())) }));
    },
  };
}

type Topping = Pick<Parts, "journal"> & {
  readonly open: Map<string, Under>;
  readonly touched: readonly ScopeCounter[];
};

async function topUp({ open, journal, touched }: Topping, more: TopUp): Promise<LimitState | undefined> {
  const { callId, moreNanoUsd: nano } = more;
  const under = open.get(callId);
  if (under === undefined) throw new AppError("bad_request", "No call with this id is under way.");
  const reached = budgetReached(more, touched);
  if (reached) return reached;
  const call = { ...under.call, nano: under.call.nano + nano };
  open.set(callId, { ...under, call });
  for (const counter of touched) reserveMore(counter, nano);
  try {
    await journal.opened(call);
  } catch (thrown) {
    open.set(callId, under);
    for (const counter of touched) reserveMore(counter, -nano);
    throw thrown;
  }
  return undefined;
}

/** A pinned counter is not let go. */
function take(counter: ScopeCounter, call: OpenCall): void {
  counter.pinned++;
  reserve(counter, call);
}

function release(counter: ScopeCounter, call: OpenCall): void {
  counter.pinned--;
  giveBack(counter, call);
}
