import { expect, test } from "vitest";
import { KeyInput, SpendFilter } from "./gateway.ts";

const LAST_DAY = Date.UTC(9999, 11, 31);

test("times that have no date of four digits are refused", () => {
  const tells = (at: number) => [
    SpendFilter.safeParse({ from: String(at) }).success,
    SpendFilter.safeParse({ to: String(at) }).success,
    KeyInput.safeParse({ name: "k", limits: {}, expiresAt: at }).success,
  ];
  expect(tells(LAST_DAY)).toEqual([true, true, true]);
  expect(tells(LAST_DAY + 1)).toEqual([false, false, false]);
});
