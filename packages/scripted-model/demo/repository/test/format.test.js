import assert from "node:assert/strict";
import { test } from "node:test";
import { format } from "../src/index.js";

test("leaves out units that are zero", () => {
  assert.equal(format(5_400), "1h 30m");
  assert.equal(format(86_401), "1d 1s");
});

test("writes zero as seconds", () => {
  assert.equal(format(0), "0s");
});

test("carries when it rounds up to a whole minute", () => {
  assert.equal(format(59.6), "1m");
});

test("refuses what is not a duration", () => {
  assert.throws(() => format(-1), RangeError);
  assert.throws(() => format(Number.NaN), RangeError);
});
