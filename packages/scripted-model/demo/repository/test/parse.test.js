import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "../src/index.js";

test("adds up the units", () => {
  assert.equal(parse("1d 2h 3m 4s"), 93_784);
});

test("reads fractions and needs no spaces", () => {
  assert.equal(parse("1.5h30m"), 7_200);
});

test("refuses what is not a duration", () => {
  assert.throws(() => parse("1h and a bit"), SyntaxError);
});
