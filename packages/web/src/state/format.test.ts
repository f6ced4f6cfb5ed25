import { expect, test } from "vitest";
import { formatAge, formatBytes, formatClock, formatCount, formatDuration, formatMoney, plural } from "./format.ts";

test("bytes keep at most three digits, and never round up into a fourth", () => {
  expect([0, 812, 999, 4200, 9960, 96_400_000, 999_600, 3e12].map(formatBytes)).toEqual([
    "0 B",
    "812 B",
    "999 B",
    "4.2 kB",
    "10 kB",
    "96 MB",
    "1.0 MB",
    "3.0 TB",
  ]);
});

test("durations have the digits that matter", () => {
  expect([0.4, 12, 3200, 12_400, 60_000, 245_000, 7_200_000, 7_800_000].map(formatDuration)).toEqual([
    "0 ms",
    "12 ms",
    "3.2 s",
    "12 s",
    "1 min",
    "4 min 5 s",
    "2 h",
    "2 h 10 min",
  ]);
});

test("a clock counts in whole seconds", () => {
  expect([-50, 999, 1000, 9990, 12_400, 245_900].map(formatClock)).toEqual([
    "0 s",
    "0 s",
    "1 s",
    "9 s",
    "12 s",
    "4 min 5 s",
  ]);
});

test("money has as many digits as matter", () => {
  expect([0, 0.00001, 0.0042, 0.31, 12.4].map(formatMoney)).toEqual([
    "$0",
    "under $0.0001",
    "$0.0042",
    "$0.31",
    "$12.40",
  ]);
});

test("counts, ages and plurals read as a person would write them", () => {
  expect([812, 4210, 127_600, 1_240_000].map(formatCount)).toEqual(["812", "4.2k", "128k", "1.2M"]);
  const now = Date.UTC(2026, 0, 31);
  const ages = [0, 60_000, 300_000, 10_800_000, 172_800_000, 31 * 86_400_000, -5000];
  expect(ages.map((age) => formatAge(now - age, now))).toEqual([
    "now",
    "1 min ago",
    "5 min ago",
    "3 h ago",
    "2 d ago",
    "2025-12-31",
    "now",
  ]);
  expect([plural(1, "match", "matches"), plural(2, "match", "matches")]).toEqual(["1 match", "2 matches"]);
});
