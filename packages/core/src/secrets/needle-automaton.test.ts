import fc from "fast-check";
import { expect, test } from "vitest";
import { type Needle, needleAutomaton } from "./needle-automaton.ts";

type Told = { readonly end: number; readonly length: number; readonly name: string };

const bytesOf = (text: string) => new TextEncoder().encode(text);
const needlesOf = (texts: readonly string[]): Needle[] => texts.map((text) => ({ bytes: bytesOf(text), name: text }));

/** What a scan tells in these pieces, and what is open after each. */
function scanned(texts: readonly string[], pieces: readonly string[]) {
  const automaton = needleAutomaton(needlesOf(texts));
  const told: Told[] = [];
  const open: number[] = [];
  let place = 0;
  let read = 0;
  for (const piece of pieces) {
    place = automaton.scan(bytesOf(piece), place, (end, match) => {
      told.push({ end: read + end, ...match });
      return false;
    });
    read += piece.length;
    open.push(automaton.open(place));
  }
  return { told, open };
}

/** The same by looking at each place for each needle. */
function looked(texts: readonly string[], pieces: readonly string[]) {
  const whole = pieces.join("");
  const longestFirst = texts.toSorted((a, b) => b.length - a.length);
  const told = Array.from({ length: whole.length + 1 }, (_, end) => {
    const name = longestFirst.find((text) => whole.slice(0, end).endsWith(text));
    return name === undefined ? [] : [{ end, length: name.length, name }];
  }).flat();
  let read = "";
  const open = pieces.map((piece) => {
    read += piece;
    const lengths = Array.from({ length: Math.max(...texts.map((text) => text.length)) }, (_, length) => length);
    return lengths.findLast((length) =>
      texts.some((text) => length < text.length && read.endsWith(text.slice(0, length))),
    );
  });
  return { told, open };
}

const letters = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom("a", "b"), minLength, maxLength });
const needles = fc.uniqueArray(letters(8, 14), { minLength: 1, maxLength: 6 });

test("a scan finds all needles, and what is open, as looking at each place does, however the text is cut", () => {
  const plain = fc.array(letters(0, 40), { maxLength: 6 });
  fc.assert(
    fc.property(needles, plain, fc.array(fc.nat(), { maxLength: 6 }), (texts, pieces, chosen) => {
      const salted = [...pieces, ...chosen.map((index) => `${texts[index % texts.length]}`)];
      const cut = salted.flatMap((piece) => [piece.slice(0, 5), piece.slice(5)]);
      expect(scanned(texts, cut)).toEqual(looked(texts, cut));
    }),
    { numRuns: 500 },
  );
});

test("a needle is found among bytes of all kinds, wherever a window begins", () => {
  const texts = ["needle-1", "needle-12", "eedle-12345"];
  for (let before = 0; before < 20; before += 1) {
    const text = `${"n".repeat(before)}needle-12345 needle`;
    expect(scanned(texts, [text])).toEqual(looked(texts, [text]));
  }
});

test("a scan stops where no more is wanted", () => {
  const automaton = needleAutomaton(needlesOf(["abcdefgh"]));
  const ends: number[] = [];
  automaton.scan(bytesOf("-abcdefgh-abcdefgh"), 0, (end) => ends.push(end) === 1);
  expect(ends).toEqual([9]);
});

test("without needles nothing is found", () => {
  const automaton = needleAutomaton([]);
  const place = automaton.scan(bytesOf("anything at all"), 0, () => true);
  expect([place, automaton.open(place), automaton.longest]).toEqual([0, 0, 0]);
});
