import { expect, test } from "vitest";
import { lineageSeal } from "./seal.ts";

const KEY = Buffer.alloc(32, 1);
const DAMAGED = expect.objectContaining({ code: "checkpoint_damaged" });

test("what is sealed opens under its name, in its lineage, with its key, whole, and in no other way", () => {
  const one = lineageSeal(KEY, "one");
  const sealed = one.seal("name", Buffer.from("content"));
  expect(one.open("name", sealed).toString()).toBe("content");
  const changed = Buffer.from(sealed);
  changed[14] = (changed[14] ?? 0) ^ 1;
  const others = [
    () => one.open("other", sealed),
    () => lineageSeal(KEY, "two").open("name", sealed),
    () => lineageSeal(Buffer.alloc(32, 2), "one").open("name", sealed),
    () => one.open("name", changed),
    () => one.open("name", sealed.subarray(0, -1)),
    () => one.open("name", Buffer.alloc(0)),
  ];
  for (const other of others) expect(other).toThrow(DAMAGED);
});

test("the same content is sealed differently each time, and none of it can be read", () => {
  const one = lineageSeal(KEY, "one");
  const [first, second] = [one.seal("name", Buffer.from("content")), one.seal("name", Buffer.from("content"))];
  expect(first.equals(second)).toBe(false);
  expect(first.includes("content")).toBe(false);
});
