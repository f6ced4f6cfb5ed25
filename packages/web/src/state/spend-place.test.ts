import { expect, test } from "vitest";
import { daysUntil, readSpendPlace, startOf } from "./spend-place.ts";

const NOW = Date.UTC(2026, 10, 25, 23, 59);

test("the URL says the group and the days; rubbish is left out", () => {
  expect(readSpendPlace({ by: "model", days: "30" })).toEqual({ by: "model", days: 30 });
  expect(readSpendPlace({ by: "phase of the moon", days: 4 })).toEqual({});
});

test("days are those of UTC, today included", () => {
  expect(daysUntil(3, NOW)).toEqual(["2026-11-23", "2026-11-24", "2026-11-25"]);
  expect(startOf(1, NOW)).toBe(Date.UTC(2026, 10, 25));
});
