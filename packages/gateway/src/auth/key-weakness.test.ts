import { randomBytes, randomInt } from "node:crypto";
import { expect, test } from "vitest";
import { keyWeakness } from "./key-weakness.ts";

test.each([
  "sk-master",
  "sk-litellm-master-key",
  "sk-your-litellm-master-key-here-1234",
  "CHANGE_ME_TO_A_LONG_RANDOM_STRING",
  "sk-my_super_secret_password",
])("%s is known from guides and examples", (key) => {
  expect(keyWeakness(key)).toBe("is one that guides and examples have");
});

test.each(["sk-1234", "1", "sk-", "sk-Xq7rT2mK9pLw4Zb"])("%s is too short", (key) => {
  expect(keyWeakness(key)).toBe("has fewer than 16 characters");
});

test.each(["sk-0123456789abcdefghijkl", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "sk-aXaXaXaXaXaXaXaXaXaXaX"])(
  "%s has too few different characters",
  (key) => {
    expect(keyWeakness(key)).toBe("has too few different characters");
  },
);

test("random keys of usual kinds, and sentences, are not weak", () => {
  const digits = (count: number) => Array.from({ length: count }, () => randomInt(10)).join("");
  for (let round = 0; round < 200; round += 1) {
    const kinds = [
      `sk-${randomBytes(12).toString("base64url")}`,
      randomBytes(16).toString("hex"),
      `sk-${digits(30)}`,
      `key-${digits(30)}`,
      `sk-${crypto.randomUUID()}`,
    ];
    expect(kinds.map(keyWeakness)).toEqual(kinds.map(() => undefined));
  }
  expect(keyWeakness("sk-nine-lamps-over-the-harbour")).toBe(undefined);
});
