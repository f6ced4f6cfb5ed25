import fc from "fast-check";
import { expect, test } from "vitest";
import { perMillion } from "./per-million.ts";

test("a price of a token is moved by its decimal point, without a rounding error of a product", () => {
  expect([3e-7, 0.0000011, 1.5e-5, 0, 1e-9, 2].map(perMillion)).toEqual([0.3, 1.1, 15, 0, 0.001, 2_000_000]);
});

test("whatever is written per million comes back from its price per token", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 999_999 }), fc.integer({ min: 0, max: 4 }), (digits, places) => {
      const price = Number(`${digits}e-${places}`);
      return perMillion(Number(`${digits}e-${places + 6}`)) === price;
    }),
  );
});
