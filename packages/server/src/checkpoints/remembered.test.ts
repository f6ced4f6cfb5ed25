import fc from "fast-check";
import { expect, test } from "vitest";
import { Remembered } from "./remembered.ts";

test("what was set last stays, as much as may, and counts once", () => {
  const remembered = new Remembered<number>(10, (value) => value);
  const there = (...names: string[]) => names.map((name) => remembered.get(name));
  for (let round = 0; round < 5; round++) remembered.set("a", 4);
  remembered.set("b", 3);
  remembered.set("c", 3);
  expect(there("a", "b", "c")).toEqual([4, 3, 3]);
  remembered.set("a", 4);
  remembered.set("d", 2);
  expect(there("a", "b", "c", "d")).toEqual([4, undefined, 3, 2]);
  remembered.set("e", 11);
  expect(there("a", "c", "d", "e")).toEqual([undefined, undefined, undefined, undefined]);
  remembered.set("f", 10);
  expect(there("f")).toEqual([10]);
});

test("what was cleared is forgotten, and weighs nothing", () => {
  const remembered = new Remembered<number>(10, (value) => value);
  remembered.set("a", 10);
  remembered.clear();
  expect(remembered.get("a")).toBeUndefined();
  remembered.set("b", 10);
  expect(remembered.get("b")).toBe(10);
});

const NAMES = "abcdefgh".split("");

test("whatever is set again and again, those that were set last are there", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.integer({ min: 1, max: 6 }))), (sets) => {
      const remembered = new Remembered<number>(10, (value) => value);
      let expected: (readonly [string, number])[] = [];
      for (const [name, value] of sets) {
        remembered.set(name, value);
        expected = [...expected.filter(([other]) => other !== name), [name, value]];
        while (expected.reduce((sum, [, weight]) => sum + weight, 0) > 10) expected.shift();
      }
      const there = Array.from(NAMES, (name) => [name, remembered.get(name)] as const);
      expect(Object.fromEntries(there.filter(([, value]) => value !== undefined))).toEqual(
        Object.fromEntries(expected),
      );
    }),
    { seed: 1 },
  );
});
