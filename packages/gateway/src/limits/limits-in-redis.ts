import { LRUCache } from "lru-cache";
import { openCall, settledCall, type OpenCall } from "../books/settled-call.ts";
import type { Books } from "../ports/books.ts";
import type { Admission, Ledger, Settlement, Verdict } from "../ports/ledger.ts";
import type { LimitedScope, LimitState } from "../ports/limits.ts";
import type { Ending, RedisCounters, Reservation } from "./redis-counters.ts";

/** What has happened to admissions; each counts in as many as apply. */
export type LimitEvents = {
  /** Refused by Redis alone. */
  refused: number;
  /** Refused by Redis, and the books were asked whether that is so. */
  checked: number;
  /** Redis and the books said different things. */
  differed: number;
  /** Judged by the books alone. */
  alone: number;
};

export type RedisLimits = {
  readonly books: Books;
  readonly events: () => Readonly<LimitEvents>;
  /** Undefined when Redis counts; else a sentence. Nothing fails then. */
  readonly trouble: () => string | undefined;
};

export type RedisLimitsOptions = {
  /** For how long a refusal by Redis is believed after the books agreed to one, in milliseconds; a second when undefined. */
  readonly believedMs?: number;
};

const SCOPES = 10_000;

/**
 * Books whose limits are counted in Redis too. What Redis refuses does not get to the books; what it lets through, they judge:
 * the sum admitted never passes a limit, whatever Redis holds. Where both differ, the scope is counted in Redis anew, from the
 * books. Closing closes both.
 */
export function limitsInRedis(books: Books, counters: RedisCounters, options: RedisLimitsOptions = {}): RedisLimits {
  const events: LimitEvents = { refused: 0, checked: 0, differed: 0, alone: 0 };
  const ledger = countedLedger(books.ledger, { counters, events, believedMs: options.believedMs ?? 1000 });
  return {
    events: () => events,
    trouble: () => counters.trouble(),
    books: {
      keys: books.keys,
      ledger: { ...books.ledger, ...ledger },
      trouble: () => books.trouble(),
      async close() {
        await counters.close();
        await books.close();
      },
    },
  };
}

type Parts = { readonly counters: RedisCounters; readonly events: LimitEvents; readonly believedMs: number };
type Pending = { readonly call: OpenCall; readonly at: number };

function countedLedger(ledger: Ledger, parts: Parts): Pick<Ledger, "admit" | "topUp" | "settle"> {
  const { counters } = parts;
  const pending = new Map<string, Pending>();
  const ask = asker(ledger, counters);
  const opinions = twoOpinions(parts);
  const end = ({ call, at }: Pending, endedAt: number, used: Ending["used"]): void =>
    counters.end({ scopes: call.scopes, at, endedAt, reserved: call, used });

  return {
    async admit(admission) {
      const limited = { ...admission, scopes: admission.scopes.filter(hasLimits) };
      if (limited.scopes.length === 0) return await ledger.admit(admission);
      const said = await ask(limited);
      const reached = opinions.believed(said);
      if (reached) return { admitted: false, reached };
      const call = { call: openCall(limited), at: said?.kind === "reserved" ? said.at : admission.at };
      let admitted = false;
      try {
        const verdict = await ledger.admit(admission);
        admitted = verdict.admitted;
        if (admitted) pending.set(admission.callId, call);
        opinions.compare(said, verdict);
        return verdict;
      } finally {
        // Without an answer it may have been counted.
        if (!admitted && said?.kind !== "reached") end(call, admission.at, undefined);
      }
    },
    async topUp(more) {
      const reached = await ledger.topUp(more);
      const known = pending.get(more.callId);
      if (reached === undefined && known) {
        const { scopes, nano } = known.call;
        pending.set(more.callId, { ...known, call: { ...known.call, nano: nano + more.moreNanoUsd } });
        await counters.hold(scopes, more.moreNanoUsd);
      }
      return reached;
    },
    settle(settlement: Settlement) {
      ledger.settle(settlement);
      const call = pending.get(settlement.callId);
      if (call === undefined) return;
      pending.delete(settlement.callId);
      end(call, settlement.at, settledCall(call.call, settlement).used);
    },
  };
}

/** What the books say decides. What Redis counts is made to fit. */
function twoOpinions({ counters, events, believedMs }: Parts) {
  const [agreed, forgotten] = [lately(believedMs), lately(believedMs)];
  const differ = (scope: string): void => {
    events.differed += 1;
    if (forgotten.has(scope)) return;
    forgotten.add(scope);
    counters.forget(scope);
  };
  return {
    /** The limit of a refusal that need not be checked. */
    believed(said: Reservation | undefined): LimitState | undefined {
      if (said?.kind === "reserved") return undefined;
      const reached = said?.kind === "reached" ? said.reached : undefined;
      const known = reached !== undefined && agreed.has(nameOf(reached));
      events[known ? "refused" : reached ? "checked" : "alone"] += 1;
      return known ? reached : undefined;
    },
    compare(said: Reservation | undefined, verdict: Verdict): void {
      if (said?.kind === "reached") {
        if (verdict.admitted) differ(said.reached.scope);
        else agreed.add(nameOf(said.reached));
      } else if (said?.kind === "reserved" && !verdict.admitted) {
        differ(verdict.reached.scope);
      }
    },
  };
}

const nameOf = ({ scope, kind }: LimitState): string => `${kind} ${scope}`;

/** Asks Redis; scopes that it does not know are counted there from what the books have. */
function asker(ledger: Ledger, counters: RedisCounters) {
  const seeding = new Map<string, Promise<void>>();
  const seed = (scope: string): Promise<void> => {
    const seeded = seeding.get(scope) ?? copied(scope).finally(() => seeding.delete(scope));
    seeding.set(scope, seeded);
    return seeded;
  };
  const copied = async (scope: string): Promise<void> => {
    const counts = await ledger.counts([scope]).catch(() => []);
    for (const count of counts) await counters.seed(count);
  };
  return async (admission: Admission): Promise<Reservation | undefined> => {
    const said = await counters.reserve(admission);
    if (said?.kind !== "unknown") return said;
    await Promise.all(said.scopes.map(seed));
    return await counters.reserve(admission);
  };
}

/** What happened to what within the last so many milliseconds. */
function lately(ms: number) {
  const times = new LRUCache<string, number>({ max: SCOPES });
  return {
    add: (name: string) => void times.set(name, performance.now()),
    has: (name: string) => performance.now() - (times.get(name) ?? -Infinity) < ms,
  };
}

const hasLimits = ({ limits }: LimitedScope): boolean => Object.values(limits).some((limit) => limit !== undefined);
