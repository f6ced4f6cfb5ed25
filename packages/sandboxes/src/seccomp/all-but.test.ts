import fc from "fast-check";
import { expect, test } from "vitest";
import { allBut, exactly } from "./all-but.ts";

const number = fc.nat({ max: 0xffff_ffff });
const kind = fc.oneof(number.map(exactly), fc.record({ mask: fc.constantFrom(0xff00, 0xffff), value: number }));
const isOf =
  (asked: number) =>
  ({ mask, value }: { readonly mask: number; readonly value: number }) =>
    ((asked ^ value) & mask) === 0;

test("a number is of one kind, and of none when it is refused", () => {
  fc.assert(
    fc.property(fc.array(kind, { maxLength: 4 }), number, (refused, asked) => {
      const kinds = allBut(refused);
      for (const value of [asked, ...refused.map((each) => each.value)]) {
        expect(kinds.filter(isOf(value)).length).toBe(refused.some(isOf(value)) ? 0 : 1);
      }
    }),
  );
});

test("they are few", () => {
  expect(allBut([exactly(1)]).length).toBe(32);
  expect(allBut([exactly(0x5412), { mask: 0xff00, value: 0x5800 }]).length).toBe(36);
});
