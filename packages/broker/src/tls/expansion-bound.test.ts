import { expect, test } from "vitest";
import { expansionBound } from "./expansion-bound.ts";

const MIB = 1024 * 1024;

/** Whether an answer of so many bytes may become so many. */
async function goesThrough(packed: number, unpacked: number): Promise<boolean> {
  const { before, after, broken } = expansionBound();
  for (const one of [before, after]) one.on("error", () => undefined).resume();
  const write = (to: typeof before, bytes: number) => new Promise((done) => to.write(Buffer.alloc(bytes), done));
  await write(before, packed);
  for (let left = unpacked; left > 0; left -= MIB) await write(after, Math.min(left, MIB));
  const refusal = broken();
  expect([after.destroyed, refusal?.code]).toEqual(
    refusal === undefined ? [false, undefined] : [true, "answer_unreadable"],
  );
  return refusal === undefined;
}

test.each([
  [1, 64 * MIB, true],
  [1, 64 * MIB + 1, false],
  [MIB / 2, 64 * MIB, true],
  [MIB / 2, 64 * MIB + 1, false],
  [MIB, 100 * MIB, true],
  [MIB, 100 * MIB + 1, false],
  [2 * MIB, 200 * MIB, true],
])("of %i packed bytes %i may come: %s", async (packed, unpacked, expected) => {
  expect(await goesThrough(packed, unpacked)).toBe(expected);
});
