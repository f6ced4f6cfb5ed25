import { expect, test } from "vitest";
import { lineSimilarity } from "./line-similarity.ts";

test("likeness counts the words and signs that both lines have", () => {
  expect(lineSimilarity("  return 1;", "return 1;")).toBe(1);
  expect(lineSimilarity("return one;", "return two;")).toBeCloseTo(0.7);
  expect(lineSimilarity("alpha beta", "gamma delta")).toBe(0);
  expect(lineSimilarity("", "  ")).toBe(0);
  expect(lineSimilarity("größe = größe", "größe")).toBeCloseTo(10 / 16);
});
