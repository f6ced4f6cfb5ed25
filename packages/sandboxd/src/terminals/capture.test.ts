import { expect, test } from "vitest";
import { ByteRing } from "./byte-ring.ts";
import { Capture } from "./capture.ts";

test("a ring holds the last bytes at their offsets, however they came", () => {
  const all = Buffer.from(Array.from({ length: 30_000 }, (_, index) => index % 251));
  for (const size of [1, 7, 4096, 9999, 30_000]) {
    const ring = new ByteRing(10_000);
    for (let at = 0; at < all.length; at += size) ring.append(all.subarray(at, at + size));
    expect([ring.start, ring.end]).toEqual([20_000, 30_000]);
    expect(ring.read(0, 30_000)).toEqual({ offset: 20_000, bytes: all.subarray(20_000) });
    expect(ring.read(25_000, 10)).toEqual({ offset: 25_000, bytes: all.subarray(25_000, 25_010) });
  }
});

test("a capture over its cap keeps head and tail, and its file has everything", () => {
  const file: Buffer[] = [];
  const log = { path: "/all.log", append: (bytes: Uint8Array) => file.push(Buffer.from(bytes)), close: () => {} };
  const capture = new Capture(8, () => log);
  for (const part of ["abc", "defgh", "ij", "klmnop"]) capture.push(Buffer.from(part));
  expect(capture.take()).toEqual({
    output: "abcd\n[… 8 bytes left out …]\nmnop",
    outputBytes: 16,
    outputFile: "/all.log",
  });
  expect(Buffer.concat(file).toString()).toBe("abcdefghijklmnop");
  capture.push(Buffer.from("later"));
  expect(capture.take()).toEqual({ output: "later", outputBytes: 5 });
});
