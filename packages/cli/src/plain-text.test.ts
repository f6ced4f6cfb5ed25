import fc from "fast-check";
import { expect, test } from "vitest";
import { plainLine, plainText } from "./plain-text.ts";

test.each([
  ["\x1b[31mred\x1b[0m", "red"],
  ["\x1b]0;title\x07text", "text"],
  ["\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"],
  ["a\x9b2Jb", "ab"],
  ["\x1bP1$r\x1b\\x", "x"],
  ["\x1b(0lqk\x1b(B", "lqk"],
  ["line\r\nnext\rover", "line\nnextover"],
  ["tab\tstays", "tab\tstays"],
  ["bell\x07 back\b del\x7f", "bell back del"],
  ["abc\u202etxt.exe", "abctxt.exe"],
  ["naïve 👩‍💻 日本", "naïve 👩‍💻 日本"],
])("%j is shown as %j", (text, shown) => {
  expect(plainText(text)).toBe(shown);
});

test("whatever comes, no control character but tab and line feed is left", () => {
  const units = fc.constantFrom(
    "\x1b",
    "[",
    "]",
    "\x07",
    "\x9b",
    "\\",
    "P",
    ";",
    "3",
    "m",
    "\r",
    "\n",
    "\t",
    "a",
    "\x85",
  );
  fc.assert(
    fc.property(fc.array(units, { maxLength: 40 }), (pieces) => {
      expect(plainText(pieces.join(""))).not.toMatch(/[\0-\x08\x0b-\x1f\x7f-\x9f]/);
    }),
  );
});

test("a line is folded and cut at whole characters", () => {
  expect(plainLine(" a\n\tb  c ", 10)).toBe("a b c");
  expect(plainLine("👍".repeat(5), 3)).toBe("👍👍…");
});
