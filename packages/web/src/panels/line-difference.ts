import { Change, diff, presentableDiff } from "@codemirror/merge";
import { lineSimilarity } from "../state/line-similarity.ts";

/** Lines that have at least this much in common are one line that was changed; others are one taken, one put. */
const SIMILAR = 0.5;
/** Blocks with more pairs of lines than this are shown as whole lines. */
const MOST_PAIRS = 2500;
/** A line is written as one character of this many while lines are compared; surrogates are left out. */
const MOST_LINES = 0xd800;
/** Bounds the time that a difference may take; beyond it whole blocks are shown as changed. */
const BOUNDS = { scanLimit: 5000, timeout: 1000 };

/**
 * The difference of two texts, in order: first by whole lines; inside of lines only where the old and the new one are
 * similar, so that words are marked only where that says something.
 */
export function lineDifference(before: string, after: string): readonly Change[] {
  const left = linesOf(before);
  const right = linesOf(after);
  const names = new Map<string, string>();
  const [a, b] = [nameLines(left.lines, names), nameLines(right.lines, names)];
  if (names.size >= MOST_LINES) return diff(before, after, BOUNDS);
  const blocks = diff(a, b, BOUNDS);
  return blocks.flatMap(({ fromA, toA, fromB, toB }) => {
    const paired = pairSimilar(left.lines.slice(fromA, toA), right.lines.slice(fromB, toB));
    const pairs = paired.map(([one, other]) => [fromA + one, fromB + other] as const);
    return changesOf({ left, right, pairs: [...pairs, [toA, toB]], fromA, fromB });
  });
}

type Lines = { readonly lines: readonly string[]; readonly starts: readonly number[] };

/** A text's lines with their line breaks, and where each begins; one more start for the end. */
function linesOf(text: string): Lines {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const starts = [0];
  for (const line of lines) starts.push((starts.at(-1) ?? 0) + line.length);
  return { lines, starts };
}

const nameLines = (lines: readonly string[], names: Map<string, string>): string =>
  lines
    .map((line) => {
      const name = names.get(line) ?? String.fromCharCode(names.size % MOST_LINES);
      names.set(line, name);
      return name;
    })
    .join("");

type Pair = readonly [number, number];

/** Which line became which: pairs in order on both sides, that together have the most in common. */
function pairSimilar(left: readonly string[], right: readonly string[]): readonly Pair[] {
  if (left.length * right.length > MOST_PAIRS) return [];
  const none = Array.from({ length: right.length + 1 }, () => NOTHING);
  const best = left.reduceRight<readonly Best[]>(
    (below, line, index) => bestOfLine({ line, index }, right, below),
    none,
  );
  const pairs: Pair[] = [];
  for (let at = best[0] ?? NOTHING; at.first !== null; at = at.rest) pairs.push(at.first);
  return pairs;
}

type Line = { readonly line: string; readonly index: number };

/** The best pairs from this line on, for each line of the other side that may come first; `below`: from the next one. */
function bestOfLine({ line, index }: Line, right: readonly string[], below: readonly Best[]): readonly Best[] {
  const row: Best[] = Array.from(below, () => NOTHING);
  for (let other = right.length - 1; other >= 0; other--) {
    const likeness = lineSimilarity(line, right[other] ?? "");
    const rest = below[other + 1] ?? NOTHING;
    const paired = likeness < SIMILAR ? NOTHING : { sum: likeness + rest.sum, first: [index, other] as const, rest };
    row[other] = greatest(paired, below[other] ?? NOTHING, row[other + 1] ?? NOTHING);
  }
  return row;
}

/** The best pairs from some place on, as a list; `sum` is how much they have in common. */
type Best = { readonly sum: number; readonly first: Pair; readonly rest: Best } | typeof NOTHING;

const NOTHING = { sum: 0, first: null } as const;

const greatest = (...all: readonly Best[]): Best =>
  all.reduce((best, one) => (one.sum > best.sum ? one : best), NOTHING);

type Block = {
  readonly left: Lines;
  readonly right: Lines;
  /** Line numbers of what belongs together; the last pair is the block's end. */
  readonly pairs: readonly Pair[];
  readonly fromA: number;
  readonly fromB: number;
};

/** The changes of one block: whole lines between its pairs, words inside of them. */
function changesOf({ left, right, pairs, fromA, fromB }: Block): readonly Change[] {
  const changes: Change[] = [];
  let [lineA, lineB] = [fromA, fromB];
  const start = ({ starts }: Lines, line: number) => starts[line] ?? 0;
  for (const [nextA, nextB] of pairs) {
    const [startA, startB] = [start(left, nextA), start(right, nextB)];
    if (nextA > lineA || nextB > lineB) {
      changes.push(new Change(start(left, lineA), startA, start(right, lineB), startB));
    }
    for (const word of presentableDiff(left.lines[nextA] ?? "", right.lines[nextB] ?? "")) {
      changes.push(new Change(startA + word.fromA, startA + word.toA, startB + word.fromB, startB + word.toB));
    }
    [lineA, lineB] = [nextA + 1, nextB + 1];
  }
  return changes;
}
