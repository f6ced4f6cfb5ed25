import { expect, test } from "vitest";
import { OWN_IDS, sandboxUid } from "./sandbox-user.ts";

test("a sandbox with users of its own has the ids of one block, and another has another's", () => {
  const starts = ["c_1", "c_2", "c_3"].map((id) => (sandboxUid(id, true, OWN_IDS) ?? 0) - 0x7000_0000);
  expect(starts.map((start) => start % OWN_IDS)).toEqual([0, 0, 0]);
  expect(new Set(starts).size).toBe(3);
  expect(sandboxUid("c_1", false, OWN_IDS)).toBeUndefined();
});
