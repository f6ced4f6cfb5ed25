import { AppError } from "@handrail/protocol/errors";
import type { Kysely } from "kysely";
import { NO_TOKENS } from "../ports/token-usage.ts";
import type { Admission, TopUp, Verdict } from "../ports/ledger.ts";
import type { LimitState } from "../ports/limits.ts";
import { booksUnavailable, sentence } from "./books-unavailable.ts";
import { makeCounters } from "./postgres-counters.ts";
import { scopesOfTurn, takeTurn, type ToppedUp, type Turn, type TurnTaken } from "./postgres-turn.ts";
import { openCall, settledCall, type OpenCall, type SettledCall } from "./settled-call.ts";
import type { Tables } from "./tables.ts";

const SETTLE_WITHIN_MS = 50;
const RETRY_AFTER_MS = 500;
/** Calls of each kind in one transaction: it keeps other replicas waiting. */
const TOGETHER = 64;
/** Settlements that could not be written, at most; then no more calls are let through. */
const BACKLOG = 10_000;
const KNOWN_SCOPES = 50_000;

/** Counts calls in PostgreSQL, a turn at a time; what comes meanwhile shares the next turn. */
export type PostgresQueue = {
  /** @throws AppError `books_unavailable`, `bad_request` when the call's id is taken */
  admit(admission: Admission): Promise<Verdict>;
  /** Gives the budget that has no room for it. @throws AppError `books_unavailable`, `bad_request` when no such call is under way */
  topUp(more: TopUp): Promise<LimitState | undefined>;
  /** Kept until PostgreSQL has it. */
  settle(call: SettledCall): void;
  /** @throws AppError `books_unavailable` */
  flush(): Promise<void>;
  waiting(): number;
  /** How many calls became lost since the last time. */
  takeLost(): number;
  trouble(): string | undefined;
  stop(): void;
};

type Admitting = {
  readonly admission: Admission;
  readonly resolve: (verdict: Verdict) => void;
  readonly reject: (error: AppError) => void;
};

type Topping = {
  readonly more: TopUp;
  readonly resolve: (reached: LimitState | undefined) => void;
  readonly reject: (error: AppError) => void;
};

type QueueParts = { readonly db: Kysely<Tables>; readonly replica: string; readonly now: () => number };

export function postgresQueue({ db, replica, now }: QueueParts): PostgresQueue {
  const turns = turnTaker(db, replica);
  const settling = settlingCalls(turns);
  const next = oneAtATime();
  const writing = writer(() => next(() => settling.write(NOTHING)), settling);
  let admitting: Admitting[] = [];
  let topping: Topping[] = [];
  let scheduled = false;

  const admitSome = async (): Promise<void> => {
    scheduled = false;
    const some = admitting.slice(0, TOGETHER);
    admitting = admitting.slice(TOGETHER);
    const more = topping.slice(0, TOGETHER);
    topping = topping.slice(TOGETHER);
    if (admitting.length > 0 || topping.length > 0) schedule();
    try {
      const asked = { admissions: some.map(({ admission }) => admission), topUps: more.map((each) => each.more) };
      answerAll(some, more, await settling.write(asked));
    } catch (thrown) {
      // Perhaps they were let through, and nobody learnt of it.
      if (turns.unsure()) for (const { admission } of some) settling.push(refusedCall(openCall(admission), now()));
      writing.within(RETRY_AFTER_MS);
      for (const { reject } of [...some, ...more]) reject(booksUnavailable(thrown));
    }
  };
  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    next(admitSome).catch(() => undefined);
  };
  return {
    admit: (admission) =>
      new Promise((resolve, reject) => {
        if (settling.count() > BACKLOG) return reject(booksUnavailable(settling.trouble()));
        admitting.push({ admission, resolve, reject });
        schedule();
      }),
    topUp: (more) => promised((handlers) => void topping.push({ more, ...handlers }), schedule),
    settle(call) {
      settling.push(call);
      writing.within(SETTLE_WITHIN_MS);
    },
    async flush() {
      while (settling.count() > 0) await next(() => settling.write(NOTHING));
    },
    waiting: () => settling.count(),
    takeLost: () => settling.takeLost(),
    trouble: () => settling.trouble(),
    stop: () => writing.stop(),
  };
}

type Handlers = Pick<Topping, "resolve" | "reject">;

function promised(push: (handlers: Handlers) => void, schedule: () => void): Promise<LimitState | undefined> {
  return new Promise((resolve, reject) => {
    push({ resolve, reject });
    schedule();
  });
}

type Asked = Omit<Turn, "settlements">;
const NOTHING: Asked = { admissions: [], topUps: [] };

/** Runs what it is given one after the other. */
function oneAtATime() {
  let last: Promise<unknown> = Promise.resolve();
  return <Value>(work: () => Promise<Value>): Promise<Value> => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
}

/** Writes what is settled by itself, when no admission took it along. */
function writer(write: () => Promise<unknown>, settling: { readonly count: () => number }) {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const within = (ms: number): void => {
    if (!stopped) timer ??= setTimeout(onTimer, ms);
  };
  const onTimer = (): void => {
    timer = undefined;
    write().then(
      () => settling.count() > 0 && within(0),
      () => within(RETRY_AFTER_MS),
    );
  };
  return {
    within,
    stop(): void {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

function answer(some: readonly Admitting[], verdicts: readonly (Verdict | undefined)[]): void {
  for (const [index, { resolve, reject }] of some.entries()) {
    const verdict = verdicts[index];
    if (verdict) resolve(verdict);
    else reject(new AppError("bad_request", "A call with this id is under way."));
  }
}

function answerAll(some: readonly Admitting[], more: readonly Topping[], taken: TurnTaken): void {
  answer(some, taken.verdicts);
  answerMore(more, taken.toppedUp);
}

function answerMore(more: readonly Topping[], results: readonly ToppedUp[]): void {
  for (const [index, { resolve, reject }] of more.entries()) {
    const result = results[index] ?? "gone";
    if (result === "gone") reject(new AppError("bad_request", "No call with this id is under way."));
    else resolve(result === "reserved" ? undefined : result.reached);
  }
}

/** What a call is whose admission failed, if it was let through all the same: nothing was sent, nothing is owed. */
export function refusedCall(call: OpenCall, at: number): SettledCall {
  return settledCall(call, {
    callId: call.callId,
    at,
    outcome: "failed",
    usage: NO_TOKENS,
    costUsd: 0,
    savedUsd: 0,
    estimated: false,
    priced: true,
    status: 503,
    errorCode: "books_unavailable",
    latencyMs: Math.max(0, at - call.at),
    retries: 0,
    fallbacks: 0,
  });
}

/** Turns whose scopes have rows. */
function turnTaker(db: Kysely<Tables>, replica: string) {
  const known = new Set<string>();
  let unsure = false;
  return {
    /** Whether the last turn that failed may have been a success. */
    unsure: () => unsure,
    async take(turn: Turn): Promise<TurnTaken> {
      unsure = false;
      const fresh = scopesOfTurn(turn).filter((scope) => !known.has(scope));
      await makeCounters(db, fresh);
      if (known.size > KNOWN_SCOPES) known.clear();
      for (const scope of fresh) known.add(scope);
      const committing = (): void => void (unsure = true);
      const taken = await takeTurn(db, turn, { replica, committing });
      unsure = false;
      return taken;
    },
  };
}

/** Settled calls that PostgreSQL does not have yet. What could not be written stays. */
function settlingCalls(turns: ReturnType<typeof turnTaker>) {
  let settling: SettledCall[] = [];
  let lost = 0;
  let trouble: string | undefined;
  return {
    count: () => settling.length,
    push: (call: SettledCall) => settling.push(call),
    trouble: () => trouble,
    takeLost(): number {
      const count = lost;
      lost = 0;
      return count;
    },
    /** A turn with some of them. One that cannot be written does not keep admissions from being so. */
    async write(asked: Asked): Promise<TurnTaken> {
      const waited = asked.admissions.length > 0 || asked.topUps.length > 0;
      const alone = waited && trouble !== undefined;
      const settlements = alone ? [] : settling.slice(0, TOGETHER);
      if (settlements.length === 0 && !waited) return { verdicts: [], toppedUp: [], settled: [] };
      try {
        const taken = await turns.take({ settlements, ...asked });
        settling = settling.slice(settlements.length);
        lost += taken.settled.filter(({ settlement }) => settlement.outcome === "lost").length;
        if (!alone || settling.length === 0) trouble = undefined;
        return taken;
      } catch (thrown) {
        trouble = sentence(thrown);
        throw booksUnavailable(thrown);
      }
    },
  };
}
