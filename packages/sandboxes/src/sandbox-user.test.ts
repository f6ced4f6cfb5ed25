import { expect, test } from "vitest";
import { containerUid, freeUser, OWN_IDS, sandboxUid, someUsers } from "./sandbox-user.ts";

test("a sandbox with users of its own has the ids of one block, and another has another's", () => {
  const starts = ["c_1", "c_2", "c_3"].map((id) => (sandboxUid(id, true, OWN_IDS) ?? 0) - 0x7000_0000);
  expect(starts.map((start) => start % OWN_IDS)).toEqual([0, 0, 0]);
  expect(new Set(starts).size).toBe(3);
  expect(sandboxUid("c_1", false, OWN_IDS)).toBeUndefined();
});

test("a user that others have makes room for the next that nobody has, from the last on to the first", () => {
  const [first = 0, last = 0] = someUsers(true, 2);
  expect([first, last]).toEqual([4096, 61_439]);
  expect(freeUser(5000, new Set([4999]))).toBe(5000);
  expect(freeUser(5000, new Set([5000, 5001]))).toBe(5002);
  expect(freeUser(last, new Set([last, first]))).toBe(first + 1);
  expect(freeUser(0, new Set([0]))).toBe(0);
  const all = new Set(Array.from({ length: last - first + 1 }, (_, index) => first + index));
  expect(freeUser(5000, all)).toBe(5000);
});

test("of all users some are spread over the whole, the first and the last among them", () => {
  expect(someUsers(true, 4)).toEqual([4096, 23_210, 42_324, 61_439]);
  const ids = Array.from({ length: 500 }, (_, index) => containerUid(`c_${index}`, true));
  expect(ids.filter((id) => id < 4096 || id > 61_439)).toEqual([]);
});
