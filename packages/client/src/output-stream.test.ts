import fc from "fast-check";
import { expect, test } from "vitest";
import { fromBase64, newOutput, toBase64 } from "./output-stream.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test("what a reader has is cut off, and a piece that is known whole is nothing", () => {
  expect(newOutput(5, 3, bytes("defg"))).toEqual({ offset: 5, bytes: bytes("fg"), skipped: 0 });
  expect(newOutput(7, 3, bytes("defg"))).toBeNull();
});

test("output that is kept nowhere any more is told as skipped", () => {
  expect(newOutput(0, 100, bytes("x"))).toEqual({ offset: 100, bytes: bytes("x"), skipped: 100 });
});

test("however often the stream is opened again, each byte arrives once", () => {
  const full = bytes("the whole output of a terminal");
  const pieces = fc.array(fc.tuple(fc.nat(full.length), fc.nat(full.length)), { maxLength: 30 });
  fc.assert(
    fc.property(pieces, (cuts) => {
      let got = "";
      let next = 0;
      for (const [from, length] of [...cuts, [0, full.length] as const]) {
        const start = Math.min(from, next);
        const piece = newOutput(next, start, full.subarray(start, start + length));
        if (piece === null) continue;
        got += new TextDecoder().decode(piece.bytes);
        next = piece.offset + piece.bytes.length;
      }
      expect(got).toBe("the whole output of a terminal");
    }),
  );
});

test("base64 keeps every byte", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (data) => {
      expect(fromBase64(toBase64(data))).toEqual(data);
    }),
  );
});
