import { expect, test } from "vitest";
import { onceTrue } from "./once.ts";

test("what is asked until it is true is asked no more then", async () => {
  const answers = [false, true];
  const ask = onceTrue(async () => answers.shift() ?? false);
  expect([await ask(), await ask(), await ask()]).toEqual([false, true, true]);
});
