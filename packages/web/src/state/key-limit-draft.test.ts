import { expect, test } from "vitest";
import { budgetUsed, describeKeyLimits, keyLimitDraft, NO_KEY_LIMITS, readKeyLimits } from "./key-limit-draft.ts";

test("limits are typed, read, shown and typed again", () => {
  const draft = {
    budget: "12.5",
    period: "week",
    requestsPerMinute: "60",
    tokensPerMinute: "",
    parallel: "4",
  } as const;
  const limits = { budget: { usd: 12.5, period: "week" }, requestsPerMinute: 60, parallel: 4 } as const;
  expect(readKeyLimits(draft)).toEqual(limits);
  expect(keyLimitDraft(limits)).toEqual(draft);
  expect(describeKeyLimits(limits)).toBe("$12.50 a week, 60 requests a minute, 4 at a time");
  expect([readKeyLimits(NO_KEY_LIMITS), describeKeyLimits({})]).toEqual([{}, "no limits"]);
});

test("what is no limit is said in a sentence", () => {
  expect(readKeyLimits({ ...NO_KEY_LIMITS, budget: "much" })).toBe("The budget must be a number of dollars above 0.");
  expect(readKeyLimits({ ...NO_KEY_LIMITS, parallel: "0" })).toBe(
    "The limit of calls at a time must be a whole number above 0.",
  );
});

test("a budget stands between nothing and all of it", () => {
  const standing = { kind: "budget", limit: 10, remaining: 2.5, resetAt: null } as const;
  expect(budgetUsed([standing])).toBe(0.75);
  expect(budgetUsed([{ ...standing, remaining: -1 }])).toBe(1);
  expect(budgetUsed([])).toBe(null);
});
