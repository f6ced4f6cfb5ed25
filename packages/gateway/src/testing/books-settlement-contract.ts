import { expect, test } from "vitest";
import type { Books } from "../ports/books.ts";
import type { LedgerEntry } from "../ports/ledger.ts";
import { codeOf, handClock, type BooksOpener } from "./books-opener.ts";
import { NOON, sampleAdmission, sampleScope, sampleSettlement } from "./books-samples.ts";

const SCOPE = sampleScope("key:v_1", { budget: { usd: 10, period: "total" }, parallel: 5 });
const ALL = { limit: 100 };

const remaining = async (books: Books) => (await books.ledger.states([SCOPE])).map((state) => state.remaining);

async function admitted(books: Books, change: Parameters<typeof sampleAdmission>[1] = {}) {
  const admission = sampleAdmission([SCOPE], change);
  await books.ledger.admit(admission);
  return admission;
}

/** Each call is in the ledger once, whatever happens. */
export function settlementContract(name: string, { open, crash }: BooksOpener): void {
  test(`${name}: a settled call is an entry with all that is known of it`, async () => {
    const books = await open(handClock(NOON));
    const { callId, entry, at } = await admitted(books);
    const settlement = sampleSettlement(callId, { firstByteMs: 20, errorCode: "model_timeout", upstreamCallId: "x" });
    books.ledger.settle(settlement);
    const expected: LedgerEntry = { ...entry, ...settlement, startedAt: at };
    expect(await books.ledger.entries({}, ALL)).toEqual([expected]);
  });

  test(`${name}: a call that is settled twice counts once`, async () => {
    const books = await open(handClock(NOON));
    const { callId } = await admitted(books);
    books.ledger.settle(sampleSettlement(callId));
    books.ledger.settle(sampleSettlement(callId, { costUsd: 5 }));
    await books.ledger.flush();
    books.ledger.settle(sampleSettlement(callId, { costUsd: 5 }));
    expect((await books.ledger.entries({}, ALL)).map((entry) => entry.costUsd)).toEqual([0.25]);
    expect((await books.ledger.spend("key", {})).map((row) => [row.calls, row.costUsd])).toEqual([[1, 0.25]]);
    expect(await remaining(books)).toEqual([5, 9.75]);
  });

  test(`${name}: a call that was never let through is not in the ledger`, async () => {
    const books = await open(handClock(NOON));
    books.ledger.settle(sampleSettlement("nobody"));
    await books.ledger.flush();
    expect(await books.ledger.entries({}, ALL)).toEqual([]);
    expect(await remaining(books)).toEqual([5, 10]);
  });

  test(`${name}: a call's id is let through once`, async () => {
    const books = await open(handClock(NOON));
    const admission = await admitted(books);
    expect(await codeOf(books.ledger.admit(admission))).toBe("bad_request");
    expect(await remaining(books)).toEqual([4, 9]);
    // It has taken nothing of a minute's requests and tokens either.
    const { scopes } = admission;
    const ids = scopes.map(({ id }) => sampleScope(id, { requestsPerMinute: 9, tokensPerMinute: 1000 }));
    const states = await books.ledger.states(ids);
    expect(states.map(({ kind, remaining: left }) => [kind, left])).toEqual(
      ids.flatMap(() => [
        ["requests", 8],
        ["tokens", 900],
      ]),
    );
  });

  test(`${name}: costs below a billionth of a dollar count as one, and budgets stay whole`, async () => {
    const books = await open(handClock(NOON));
    for (const costUsd of [0.000_000_000_1, 0.1, 0.2]) {
      const { callId } = await admitted(books);
      books.ledger.settle(sampleSettlement(callId, { costUsd }));
    }
    await books.ledger.flush();
    expect(await remaining(books)).toEqual([5, 9.699_999_999]);
  });

  test(`${name}: calls that a crash cut off become lost, at what was reserved`, async () => {
    const now = handClock(NOON);
    const books = await open(now);
    const settled = await admitted(books);
    books.ledger.settle(sampleSettlement(settled.callId));
    await books.ledger.flush();
    const lost = await admitted(books, { reserveNanoUsd: 2_000_000_000 });
    const again = await crash(books, now);
    expect(await again.ledger.reconcile()).toBe(1);
    expect(await again.ledger.reconcile()).toBe(0);
    const entries = await again.ledger.entries({}, ALL);
    expect(new Map(entries.map(({ callId, outcome, costUsd }) => [callId, [outcome, costUsd]]))).toEqual(
      new Map([
        [settled.callId, ["ok", 0.25]],
        [lost.callId, ["lost", 2]],
      ]),
    );
    expect(await remaining(again)).toEqual([5, 7.75]);
    again.ledger.settle(sampleSettlement(lost.callId, { costUsd: 9 }));
    await again.ledger.flush();
    expect(await remaining(again)).toEqual([5, 7.75]);
  });

  test(`${name}: what was used in the last minute is known after a crash`, async () => {
    const now = handClock(NOON);
    const books = await open(now);
    const scope = sampleScope("key:v_1", { requestsPerMinute: 3, tokensPerMinute: 1000 });
    const first = await admitted(books);
    books.ledger.settle(sampleSettlement(first.callId));
    await books.ledger.flush();
    await admitted(books);
    const again = await crash(books, now);
    await again.ledger.reconcile();
    const states = await again.ledger.states([scope]);
    expect(states.map(({ kind, remaining }) => [kind, remaining])).toEqual([
      ["requests", 1],
      ["tokens", 850],
    ]);
  });
}
