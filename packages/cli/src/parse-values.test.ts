import { expect, test } from "vitest";
import { UsageError } from "./exit-codes.ts";
import { parseCount, parseDuration, parseMoney, parseNetwork } from "./parse-values.ts";

test.each([
  ["90s", 90_000],
  ["30m", 1_800_000],
  ["2h", 7_200_000],
  ["1.5h", 5_400_000],
  ["30d", 2_592_000_000],
])("the time %s is %i ms", (text, ms) => expect(parseDuration(text)).toBe(ms));

test.each(["", "30", "0s", "-1m", "31d", "1h30m", "m", "1e9s"])("the time %j is refused", (text) => {
  expect(() => parseDuration(text)).toThrow(UsageError);
});

test.each([
  ["0.50", 0.5],
  ["$2", 2],
  ["1000000", 1_000_000],
])("the amount %s is %d dollars", (text, usd) => expect(parseMoney(text)).toBe(usd));

test.each(["", "0", "-1", "1,5", "1e3", "abc", "1000001", "NaN"])("the amount %j is refused", (text) => {
  expect(() => parseMoney(text)).toThrow(UsageError);
});

test("a count is a whole number within its bounds", () => {
  const parse = parseCount(100);
  expect([parse("1"), parse("100")]).toEqual([1, 100]);
  for (const text of ["0", "101", "1.5", "-1", "ten", ""]) expect(() => parse(text)).toThrow(UsageError);
});

test("a network rule is none, the default, or hosts and presets", () => {
  expect(parseNetwork("none")).toEqual({ type: "none" });
  expect(parseNetwork("default")).toBeUndefined();
  expect(parseNetwork("registries,repository, Example.org,.internal.net,git.example.org:8443")).toEqual({
    type: "allow",
    presets: ["registries", "repository"],
    hosts: ["example.org", ".internal.net", "git.example.org:8443"],
  });
  for (const text of ["", "a,,b", "http://x", "a b", "*.x.org", "x.org:", "x.org:a", "x.org:1:2"])
    expect(() => parseNetwork(text)).toThrow(UsageError);
});
