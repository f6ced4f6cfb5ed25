import { expect, test } from "vitest";
import { tryEach } from "./try-each.ts";

test("each is tried, in order, whatever fails, and the first failure is told", async () => {
  const tried: number[] = [];
  const work = async (item: number) => {
    tried.push(item);
    if (item % 2 === 0) throw new Error(`not ${item}`);
  };
  await expect(tryEach([1, 2, 3, 4, 5], work)).rejects.toThrow("not 2");
  expect(tried).toEqual([1, 2, 3, 4, 5]);
  await tryEach([1, 3], work);
});
