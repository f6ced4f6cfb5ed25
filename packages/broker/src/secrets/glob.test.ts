import { expect, test } from "vitest";
import { matchesGlob } from "./glob.ts";

test.each([
  ["a/b", "a/b", true],
  ["a/*", "a/b", true],
  ["a/*", "a/b/c", false],
  ["a/**", "a/b/c", true],
  ["**", "", true],
  ["*/x", "a/b/x", false],
  ["/v1/*/c**d", "/v1/b/c/x/d", true],
  ["a.c", "abc", false],
  ["*", "", true],
])("%s against %s: %s", (pattern, name, matches) => {
  expect(matchesGlob(pattern, name)).toBe(matches);
});

test("a pattern full of stars against a long name comes to an end", () => {
  expect(matchesGlob("*a".repeat(60), `${"a".repeat(500)}b`)).toBe(false);
});
