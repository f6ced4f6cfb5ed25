import { expect, test } from "vitest";
import { limitDraft, NO_LIMITS, readLimits } from "./limit-draft.ts";

test("limits are read, empty ones are none, and what is no limit is refused", () => {
  expect(readLimits(NO_LIMITS)).toEqual({});
  expect(readLimits({ maxCostUsd: "2.5", maxSteps: "40", maxTokens: " 90000 ", maxMinutes: "1.5" })).toEqual({
    maxCostUsd: 2.5,
    maxSteps: 40,
    maxTokens: 90_000,
    maxTimeMs: 90_000,
  });
  expect(readLimits({ ...NO_LIMITS, maxSteps: "1.5" })).toBe("The step limit must be a whole number above 0.");
  expect(readLimits({ ...NO_LIMITS, maxTokens: "many" })).toBe("The token limit must be a whole number above 0.");
  expect(readLimits({ ...NO_LIMITS, maxCostUsd: "0" })).toBe("The cost limit must be a number of dollars above 0.");
  expect(readLimits({ ...NO_LIMITS, maxMinutes: "soon" })).toBe("The time limit must be a number of minutes above 0.");
});

test("limits that are written out are read as the same limits", () => {
  const limits = { maxCostUsd: 0.25, maxSteps: 7, maxTokens: 1000, maxTimeMs: 100_001 };
  expect(readLimits(limitDraft(limits))).toEqual(limits);
  expect(limitDraft({})).toEqual(NO_LIMITS);
});
