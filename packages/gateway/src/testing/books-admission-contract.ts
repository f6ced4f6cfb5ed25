import { expect, test } from "vitest";
import type { Books } from "../ports/books.ts";
import type { Verdict } from "../ports/ledger.ts";
import { handClock, type BooksOpener } from "./books-opener.ts";
import { NOON, sampleAdmission, sampleScope, sampleSettlement } from "./books-samples.ts";

const SECOND = 1000;
const DAY = 86_400_000;

/** Lets calls through as far as the limits go. */
export function admissionContract(name: string, opener: BooksOpener): void {
  parallelCalls(name, opener);
  eachLimit(name, opener);
  periods(name, opener);
}

const reached = (verdict: Verdict) => (verdict.admitted ? undefined : verdict.reached);

async function admitMany(books: Books, count: number, scopes: Parameters<typeof sampleAdmission>[0]) {
  const admissions = Array.from({ length: count }, () => sampleAdmission(scopes));
  const verdicts = await Promise.all(admissions.map((admission) => books.ledger.admit(admission)));
  return admissions.filter((_, index) => verdicts[index]?.admitted);
}

function parallelCalls(name: string, { open }: BooksOpener): void {
  test(`${name}: of 64 parallel calls against a budget of ten, ten are let through`, async () => {
    const books = await open(handClock(NOON));
    const scope = sampleScope("key:v_1", { budget: { usd: 10, period: "total" } });
    const admitted = await admitMany(books, 64, [scope]);
    expect(admitted.length).toBe(10);
    for (const { callId } of admitted) books.ledger.settle(sampleSettlement(callId, { costUsd: 1 }));
    await books.ledger.flush();
    expect(await admitMany(books, 64, [scope])).toEqual([]);
    expect(await books.ledger.states([scope])).toEqual([{ scope: "key:v_1", kind: "budget", limit: 10, remaining: 0 }]);
  });

  test(`${name}: what a call did not use of its reservation is there for others at once`, async () => {
    const books = await open(handClock(NOON));
    const scope = sampleScope("key:v_1", { budget: { usd: 2, period: "total" } });
    const [first] = await admitMany(books, 3, [scope]);
    books.ledger.settle(sampleSettlement(first!.callId, { costUsd: 0 }));
    expect((await admitMany(books, 3, [scope])).length).toBe(1);
  });

  test(`${name}: a call that is refused by one scope takes nothing from the others`, async () => {
    const books = await open(handClock(NOON));
    const wide = sampleScope("user:u_1", {
      budget: { usd: 100, period: "day" },
      requestsPerMinute: 100,
      tokensPerMinute: 10_000,
      parallel: 100,
    });
    const narrow = sampleScope("team:t_1", { parallel: 1 });
    expect((await admitMany(books, 20, [wide, narrow])).length).toBe(1);
    expect((await books.ledger.states([wide])).map(({ kind, remaining }) => [kind, remaining])).toEqual([
      ["parallel", 99],
      ["requests", 99],
      ["tokens", 9900],
      ["budget", 99],
    ]);
  });
}

function eachLimit(name: string, { open }: BooksOpener): void {
  test(`${name}: a parallel limit frees a place with each settlement`, async () => {
    const books = await open(handClock(NOON));
    const scope = sampleScope("key:v_1", { parallel: 2 });
    const [first] = await admitMany(books, 2, [scope]);
    const refused = await books.ledger.admit(sampleAdmission([scope]));
    expect(reached(refused)).toEqual({ scope: "key:v_1", kind: "parallel", limit: 2, remaining: 0 });
    books.ledger.settle(sampleSettlement(first!.callId));
    expect((await admitMany(books, 2, [scope])).length).toBe(1);
  });

  test(`${name}: requests count in the minute that passed, and the refusal says when there is room`, async () => {
    const books = await open(handClock(NOON));
    const scope = sampleScope("key:v_1", { requestsPerMinute: 2 });
    const at = (ms: number) => books.ledger.admit(sampleAdmission([scope], { at: NOON + ms }));
    expect((await at(0)).admitted).toBe(true);
    expect((await at(10 * SECOND)).admitted).toBe(true);
    const expected = { scope: "key:v_1", kind: "requests", limit: 2, remaining: 0, resetAt: NOON + 60 * SECOND };
    expect(reached(await at(59 * SECOND))).toEqual(expected);
    expect((await at(60 * SECOND)).admitted).toBe(true);
    expect(reached(await at(61 * SECOND))).toEqual({ ...expected, resetAt: NOON + 70 * SECOND });
  });

  test(`${name}: tokens are reserved and then corrected`, async () => {
    const books = await open(handClock(NOON));
    const scope = sampleScope("key:v_1", { tokensPerMinute: 250 });
    const [first] = await admitMany(books, 2, [scope]);
    const third = sampleAdmission([scope], { at: NOON + SECOND });
    expect(reached(await books.ledger.admit(third))).toEqual({
      scope: "key:v_1",
      kind: "tokens",
      limit: 250,
      remaining: 50,
      resetAt: NOON + 60 * SECOND,
    });
    books.ledger.settle(sampleSettlement(first!.callId));
    expect((await books.ledger.admit(third)).admitted).toBe(true);
    expect((await books.ledger.admit(sampleAdmission([scope], { at: NOON + 60 * SECOND }))).admitted).toBe(true);
  });

  test(`${name}: an admission says where every limit stands`, async () => {
    const books = await open(handClock(NOON));
    const budget = { usd: 3, period: "day" } as const;
    const key = sampleScope("key:v_1", { requestsPerMinute: 5, budget });
    const verdict = await books.ledger.admit(
      sampleAdmission([key, sampleScope("user:u_1"), sampleScope("team:t_1", { parallel: 4 })]),
    );
    expect(verdict).toEqual({
      admitted: true,
      limits: [
        { scope: "key:v_1", kind: "requests", limit: 5, remaining: 4, resetAt: NOON + 60 * SECOND },
        { scope: "key:v_1", kind: "budget", limit: 3, remaining: 2, resetAt: NOON + DAY / 2 },
        { scope: "team:t_1", kind: "parallel", limit: 4, remaining: 3 },
      ],
    });
  });

  test(`${name}: a limit that changes counts what was used before`, async () => {
    const books = await open(handClock(NOON));
    await admitMany(books, 3, [sampleScope("key:v_1")]);
    const limits = { parallel: 3, budget: { usd: 3.5, period: "month" } } as const;
    expect(reached(await books.ledger.admit(sampleAdmission([sampleScope("key:v_1", limits)])))?.kind).toBe("parallel");
    const roomier = sampleScope("key:v_1", { ...limits, parallel: 9 });
    expect(reached(await books.ledger.admit(sampleAdmission([roomier])))?.kind).toBe("budget");
  });
}

function periods(name: string, { open, crash }: BooksOpener): void {
  test.for([
    ["day", NOON + DAY / 2],
    ["week", Date.UTC(2026, 10, 30)],
    ["month", Date.UTC(2026, 11, 1)],
  ] as const)(`${name}: a budget of a %s starts again when it ends`, async ([period, next]) => {
    const now = handClock(NOON);
    const books = await open(now);
    const scope = sampleScope("key:v_1", { budget: { usd: 1, period } });
    const first = sampleAdmission([scope]);
    await books.ledger.admit(first);
    books.ledger.settle(sampleSettlement(first.callId, { costUsd: 1 }));
    const late = await books.ledger.admit(sampleAdmission([scope], { at: next - 1 }));
    expect(late).toEqual({
      admitted: false,
      reached: { scope: "key:v_1", kind: "budget", limit: 1, remaining: 0, resetAt: next },
    });
    now.set(next);
    expect((await books.ledger.admit(sampleAdmission([scope], { at: next }))).admitted).toBe(true);
  });

  test(`${name}: a call that goes on over midnight counts in the day that it began in`, async () => {
    const now = handClock(NOON);
    const books = await open(now);
    const scope = sampleScope("key:v_1", { budget: { usd: 1, period: "day" } });
    const first = sampleAdmission([scope], { at: NOON + DAY / 2 - 1 });
    await books.ledger.admit(first);
    now.set(NOON + DAY / 2);
    books.ledger.settle(sampleSettlement(first.callId, { at: now(), costUsd: 0.75 }));
    expect((await books.ledger.states([scope]))[0]?.remaining).toBe(1);
    expect((await books.ledger.spend("day", {})).map(({ group, costUsd }) => [group, costUsd])).toEqual([
      ["2026-11-25", 0.75],
    ]);
  });

  test(`${name}: what comes late for an earlier day is not the later day's, also where it is read again`, async () => {
    const now = handClock(NOON);
    const books = await open(now);
    const scope = sampleScope("key:v_1", { budget: { usd: 9, period: "day" } });
    const [early, late] = [sampleAdmission([scope]), sampleAdmission([scope], { at: NOON + DAY })];
    for (const { callId, ...rest } of [early, late]) await books.ledger.admit({ callId, ...rest });
    now.set(NOON + DAY);
    books.ledger.settle(sampleSettlement(late.callId, { at: now(), costUsd: 2 }));
    await books.ledger.flush();
    books.ledger.settle(sampleSettlement(early.callId, { at: now(), costUsd: 0.75 }));
    await books.ledger.flush();
    const total = sampleScope("key:v_1", { budget: { usd: 9, period: "total" } });
    const left = async (opened: typeof books) =>
      (await opened.ledger.states([scope, total])).map(({ remaining }) => remaining);
    expect(await left(books)).toEqual([7, 6.25]);
    expect(await left(await crash(books, now))).toEqual([7, 6.25]);
  });
}
