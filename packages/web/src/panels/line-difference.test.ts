import { expect, test } from "vitest";
import { lineDifference } from "./line-difference.ts";

/** Changes as what was taken and what was put. */
const changes = (before: string, after: string) =>
  lineDifference(before, after).map(({ fromA, toA, fromB, toB }) => [
    before.slice(fromA, toA),
    after.slice(fromB, toB),
  ]);

/** The new text, made of the old one and the changes alone. */
function applied(before: string, after: string): string {
  let text = "";
  let at = 0;
  for (const { fromA, toA, fromB, toB } of lineDifference(before, after)) {
    text += before.slice(at, fromA) + after.slice(fromB, toB);
    at = toA;
  }
  return text + before.slice(at);
}

test("words are marked in a line that stayed much the same", () => {
  expect(changes("a\n  let rest = seconds;\nb\n", "a\n  let rest = Math.round(seconds);\nb\n")).toEqual([
    ["", "Math.round("],
    ["", ")"],
  ]);
});

test("lines that have little in common are whole lines taken and put", () => {
  expect(changes("one two three\n", "export const limit = 7;\n")).toEqual([
    ["one two three\n", "export const limit = 7;\n"],
  ]);
});

test("a changed line is found again among new ones", () => {
  const before = "start\nreturn parse(text);\nend\n";
  const after = "start\nconst clean = strip(input);\nlog(clean);\nreturn parse(clean);\nend\n";
  expect(changes(before, after)).toEqual([
    ["", "const clean = strip(input);\nlog(clean);\n"],
    ["text", "clean"],
  ]);
});

test("the changes make the new text of the old one, whatever the line ends and however long", () => {
  const long = (seed: number) =>
    Array.from({ length: 400 }, (_, line) => `${(line * seed) % 97} word${line}\n`).join("");
  const pairs = [
    ["", "a\n"],
    ["a\n", ""],
    ["a", "a\nb"],
    ["a\nb\n", "a\nb"],
    ["x\n\n\ny", "\nx\ny\n\n"],
    [long(3), long(5)],
  ] as const;
  for (const [before, after] of pairs) expect(applied(before, after)).toBe(after);
  expect(lineDifference("same\n", "same\n")).toEqual([]);
});
