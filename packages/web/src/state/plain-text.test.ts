import { expect, test } from "vitest";
import { firstLines, lastLines, plainText } from "./plain-text.ts";

test("escape sequences and control characters are left out, text and tabs stay", () => {
  const output =
    "\u001b[31mred\u001b[0m\ta\u0007\u001b]0;title\u0007b\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\\u001b(Bc\u009b2Jd\u0000";
  expect(plainText(output)).toBe("red\tablinkcd");
});

test("an escape sequence that never ends takes nothing else with it", () => {
  expect(plainText("a\n\u001b[38;5")).toBe("a\n38;5");
  expect(plainText("\u001b]0;open")).toBe("");
});

test("carriage returns and backspaces show what a terminal shows", () => {
  expect(plainText("10%\r50%\r100%\nab\bc\r\nend")).toBe("100%\nac\nend");
  expect(plainText("long line\rshort")).toBe("shortline");
});

test("marks that reorder text are made visible", () => {
  expect(plainText("a\u202eb\u2066c")).toBe("a[U+202E]b[U+2066]c");
});

test("lines are taken from either end, with how many were left out", () => {
  expect(lastLines("a\nb\nc\n", 2)).toEqual({ text: "b\nc", before: 1 });
  expect(firstLines("a\nb\nc\n", 2)).toEqual({ text: "a\nb", after: 1 });
  expect(lastLines("", 2)).toEqual({ text: "", before: 0 });
});
