import fc from "fast-check";
import { expect, test } from "vitest";
import { pathBytes, pathText } from "./paths.ts";

test("any bytes come back from their text", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      expect(Array.from(pathBytes(pathText(bytes)))).toEqual(Array.from(bytes));
    }),
  );
});

test("readable names stay as they are, the rest is written in digits", () => {
  const bytes = Uint8Array.from([...new TextEncoder().encode("naïve 文\n\\x41"), 0xff]);
  expect(pathText(bytes)).toBe("naïve 文\\x0a\\x5cx41\\xff");
});
