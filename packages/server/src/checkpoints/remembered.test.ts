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
