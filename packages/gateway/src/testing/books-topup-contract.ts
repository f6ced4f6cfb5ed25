import { expect, test } from "vitest";
import { type BooksOpener, codeOf, handClock } from "./books-opener.ts";
import { NOON, sampleAdmission, sampleScope, sampleSettlement } from "./books-samples.ts";

const DOLLAR = 1_000_000_000;
const KEY = sampleScope("key:v_1", { budget: { usd: 10, period: "total" } });
const TEAM = sampleScope("team:t_1", { budget: { usd: 3, period: "day" }, parallel: 1, requestsPerMinute: 1 });

/** Reserves more for calls that are under way, as far as budgets go. */
export function topUpContract(name: string, { open, crash }: BooksOpener): void {
  test(`${name}: more is reserved in all scopes of a call, past no budget, whatever other limits say`, async () => {
    const books = await open(handClock(NOON));
    const scopes = [KEY, TEAM];
    const { callId, ...rest } = sampleAdmission(scopes);
    await books.ledger.admit({ callId, ...rest });
    const topUp = (dollars: number) => books.ledger.topUp({ callId, at: NOON, scopes, moreNanoUsd: dollars * DOLLAR });
    const left = async () =>
      (await books.ledger.states(scopes)).filter(({ kind }) => kind === "budget").map(({ remaining }) => remaining);
    expect(await topUp(1)).toBeUndefined();
    expect(await left()).toEqual([8, 1]);
    const day = { scope: "team:t_1", kind: "budget", limit: 3, remaining: 1, resetAt: NOON + 43_200_000 };
    expect(await topUp(1.5)).toEqual(day);
    expect(await left()).toEqual([8, 1]);
    expect(await topUp(1)).toBeUndefined();
    expect(await left()).toEqual([7, 0]);
    books.ledger.settle(sampleSettlement(callId, { costUsd: 2.5 }));
    expect(await left()).toEqual([7.5, 0.5]);
  });

  test(`${name}: of many calls that want more at the same time, as many get it as the budget has room for`, async () => {
    const books = await open(handClock(NOON));
    const admissions = Array.from({ length: 6 }, () => sampleAdmission([KEY]));
    for (const admission of admissions) await books.ledger.admit(admission);
    const more = { at: NOON, scopes: [KEY], moreNanoUsd: DOLLAR };
    const results = await Promise.all(admissions.map(({ callId }) => books.ledger.topUp({ callId, ...more })));
    expect(results.filter((reached) => reached === undefined)).toHaveLength(4);
    expect(results.find((reached) => reached !== undefined)).toEqual({
      scope: "key:v_1",
      kind: "budget",
      limit: 10,
      remaining: 0,
    });
    expect((await books.ledger.admit(sampleAdmission([KEY]))).admitted).toBe(false);
    for (const { callId } of admissions) books.ledger.settle(sampleSettlement(callId, { costUsd: 0 }));
    expect(await books.ledger.states([KEY])).toMatchObject([{ remaining: 10 }]);
  });

  test(`${name}: a call that nobody learnt the end of costs all that was reserved for it`, async () => {
    const now = handClock(NOON);
    const books = await open(now);
    const { callId, ...rest } = sampleAdmission([KEY]);
    await books.ledger.admit({ callId, ...rest });
    await books.ledger.topUp({ callId, at: NOON, scopes: [KEY], moreNanoUsd: 2 * DOLLAR });
    now.set(NOON + 600_000);
    const again = await crash(books, now);
    await again.ledger.reconcile();
    expect(await again.ledger.entries({}, { limit: 5 })).toMatchObject([{ callId, outcome: "lost", costUsd: 3 }]);
    expect(await again.ledger.states([KEY])).toMatchObject([{ remaining: 7 }]);
  });

  test(`${name}: more for a call that is not under way is refused`, async () => {
    const books = await open(handClock(NOON));
    const more = { at: NOON, scopes: [KEY], moreNanoUsd: DOLLAR };
    expect(await codeOf(books.ledger.topUp({ callId: "none", ...more }))).toBe("bad_request");
    const { callId, ...rest } = sampleAdmission([KEY]);
    await books.ledger.admit({ callId, ...rest });
    books.ledger.settle(sampleSettlement(callId));
    expect(await codeOf(books.ledger.topUp({ callId, ...more }))).toBe("bad_request");
  });
}
