import { expect, test } from "vitest";
import { fileEdit } from "./file-edit.ts";
import { diffLines } from "./line-diff.ts";

const editOf = (before: string, after: string) => fileEdit("a", Buffer.from(before), Buffer.from(after));
const numbered = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `${from + index}\n`).join("");

test("changes far apart have hunks of their own, with three lines around each", () => {
  const after = numbered(1, 20).replace("5\n", "five\n").replace("16\n", "").replace("15\n", "15\nmore\n");
  expect(editOf(numbered(1, 20), after)).toEqual({
    path: "a",
    created: false,
    added: 2,
    removed: 2,
    hunks: [
      "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n",
      "@@ -13,7 +13,7 @@\n 13\n 14\n 15\n-16\n+more\n 17\n 18\n 19\n",
    ].join(""),
  });
});

test.each([
  ["lines at the end", "1\n2\n", "1\n2\n3\n", "@@ -1,2 +1,3 @@\n 1\n 2\n+3\n"],
  ["lines at the beginning", "1\n", "0\n1\n", "@@ -1,1 +1,2 @@\n+0\n 1\n"],
  ["all lines gone", "1\n2\n", "", "@@ -1,2 +0,0 @@\n-1\n-2\n"],
  ["a new end", "1\n2", "1\n2\n", "@@ -1,2 +1,2 @@\n 1\n-2\n\\ No newline at end of file\n+2\n"],
  ["repeated lines", "a\na\na\n", "a\na\n", "@@ -1,3 +1,2 @@\n a\n a\n-a\n"],
  ["line ends", "1\r\n2\n", "1\n2\n", "@@ -1,2 +1,2 @@\n-1\r\n+1\n 2\n"],
  ["nothing", "1\n", "1\n", ""],
])("a change of %s is shown", (_name, before, after, hunks) => {
  expect(editOf(before, after).hunks).toBe(hunks);
});

test("lines that differ only in bytes that are not UTF-8 differ", () => {
  const edit = fileEdit("a", Buffer.from([0xe9, 10]), Buffer.from([0xe8, 10]));
  expect(edit).toMatchObject({ added: 1, removed: 1, hunks: "@@ -1,1 +1,1 @@\n-\uFFFD\n+\uFFFD\n" });
});

test("long hunks are cut at a line's end", () => {
  const { hunks, added } = editOf("", `${"x".repeat(999)}\n`.repeat(100));
  expect(added).toBe(100);
  expect(Buffer.byteLength(hunks)).toBeLessThanOrEqual(64 * 1024);
  expect(hunks.endsWith(`x\n\\ [diff cut]\n`)).toBe(true);
});

test("texts that differ in very much are counted", () => {
  const edit = editOf("a\n".repeat(1_500_000), "b\n".repeat(1_000_000));
  expect(edit).toMatchObject({ added: 1_000_000, removed: 1_500_000, hunks: "\\ [diff cut]\n" });
});

test("lines that differ by more than the search follows are replaced as a whole", () => {
  const edit = editOf("a\n".repeat(2000), "b\n".repeat(2000));
  expect(edit).toMatchObject({ added: 2000, removed: 2000 });
});

test("binary files have no hunks", () => {
  expect(editOf("a\0", "b\n")).toEqual({ path: "a", created: false, added: 0, removed: 0, hunks: "" });
});

test("the line diff rebuilds both texts with as few edits as can be", () => {
  const texts = Array.from({ length: 81 }, (_, index) => index.toString(3).padStart(4, "0").split(""));
  for (const before of texts) {
    for (const after of texts) {
      const lines = diffLines(before, after);
      expect(lines.filter(({ sign }) => sign !== "+").map(({ line }) => line)).toEqual(before);
      expect(lines.filter(({ sign }) => sign !== "-").map(({ line }) => line)).toEqual(after);
      expect(lines.filter(({ sign }) => sign === " ").length).toBe(commonLength(before, after));
    }
  }
});

function commonLength(one: readonly string[], other: readonly string[]): number {
  const [[first, ...ones], [second, ...others]] = [one, other];
  if (first === undefined || second === undefined) return 0;
  if (first === second) return 1 + commonLength(ones, others);
  return Math.max(commonLength(ones, other), commonLength(one, others));
}
