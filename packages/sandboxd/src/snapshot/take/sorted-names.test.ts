import { expect, test } from "vitest";
import { Turns } from "../turns.ts";
import { sortedNames } from "./sorted-names.ts";

/** Turns that are over whenever somebody looks. */
class ShortTurns extends Turns {
  rests = 0;
  override get isOver(): boolean {
    return true;
  }
  override async rest(): Promise<void> {
    this.rests += 1;
  }
}

/** In an order that is none. */
const namesOf = (count: number) => Array.from({ length: count }, (_, at) => `${(at * 7919) % count}-\u00ff`);

test.each([0, 1, 4096, 4097, 8192, 8193, 30_000])("%i names are in the order of their characters", async (count) => {
  const names = namesOf(count);
  expect(await sortedNames([...names], new Turns())).toEqual(names.toSorted());
});

test("many names are sorted in turns, few at once", async () => {
  const turns = new ShortTurns();
  await sortedNames(namesOf(4096), turns);
  expect(turns.rests).toBe(0);
  await sortedNames(namesOf(20_000), turns);
  expect(turns.rests).toBeGreaterThan(50);
});
