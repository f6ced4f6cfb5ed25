import { expect, test } from "vitest";
import { readableText } from "./readable-text.ts";

const CASES: readonly (readonly [name: string, raw: string, text: string])[] = [
  ["plain text stays", "naïve\ttab\n", "naïve\ttab\n"],
  ["line ends become line feeds", "a\r\nb\r\r\nc", "a\nb\nc"],
  ["colours go", "\u001b[1;31mred\u001b[0m \u001b[38;5;9mx\u001b[m", "red x"],
  ["titles and links go", "\u001b]0;title\u0007a\u001b]8;;http://x\u001b\\b", "ab"],
  ["cut sequences go", "a\u001b[3", "a"],
  ["cut strings go", "a\u001b]0;never ended", "a"],
  ["a carriage return overwrites", "10%\r 20\rdone", "done"],
  ["a shorter line leaves the end of the longer", "12345\rab", "ab345"],
  ["erase in line clears to the end", "12345\rab\u001b[K", "ab"],
  ["erase in line 2 clears the line", "12345\u001b[2K\rab", "ab"],
  ["backspaces overwrite", "abc\b\bX", "aXc"],
  ["bells, shifts and C1 controls go", "a\u0007b\u000ec\u009bd", "abcd"],
  ["keypad and charset sequences go", "\u001b=\u001b(Bx\u001b>", "x"],
];

test.each(CASES)("%s", (_name, raw, text) => {
  expect(readableText(Buffer.from(raw))).toBe(text);
});

test("bytes that are no text are replaced, and no escape is ever left", () => {
  expect(readableText(Uint8Array.of(0x61, 0xff, 0x62))).toBe("a\ufffdb");
  const codes = Array.from(
    { length: 4096 },
    (_, index) => [27, 91, 75, 13, 8, 50, 93, 7, 80, 92][(index * index + (index >> 3)) % 10] ?? 0,
  );
  expect(readableText(Uint8Array.from(codes))).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
});
