import { expect, test } from "vitest";
import { counted, giveBack, reserve, reserveMore, scopeCounter, settleReserved } from "./scope-counter.ts";

const AT = Date.UTC(2026, 10, 30, 12);
const CALL = { at: AT, nano: 500, tokens: 70 };
const OTHER = { at: AT - 5000, nano: 30, tokens: 4 };

/** A counter that counts what `count` does, and what it then holds. */
function holding(count: (counter: ReturnType<typeof scopeCounter>) => void) {
  const counter = scopeCounter(undefined);
  reserve(counter, OTHER);
  count(counter);
  return counted(counter);
}

test("a reservation that is given back leaves no trace: not of money, requests, tokens or calls under way", () => {
  const before = holding(() => undefined);
  expect(before).toMatchObject({ inFlight: 1, reservedNano: 30, requests: [[OTHER.at, 1]], tokens: [[OTHER.at, 4]] });
  const reserved = holding((counter) => reserve(counter, CALL));
  expect(reserved).toMatchObject({ inFlight: 2, reservedNano: 530 });
  const after = holding((counter) => {
    reserve(counter, CALL);
    giveBack(counter, CALL);
  });
  expect(after).toEqual(before);
});

test("what was reserved is replaced by what was used, and its request stays counted", () => {
  const used = holding((counter) => {
    reserve(counter, CALL);
    reserveMore(counter, 100);
    settleReserved(counter, { ...CALL, nano: 600 }, { nano: 9, tokens: 3 });
  });
  expect(used).toMatchObject({ inFlight: 1, reservedNano: 30, spent: { total_nano: 9, day_nano: 9 } });
  expect(used.requests).toEqual([OTHER, CALL].map(({ at }) => [at, 1]));
  expect(used.tokens).toEqual([
    [OTHER.at, 4],
    [CALL.at, 3],
  ]);
});
