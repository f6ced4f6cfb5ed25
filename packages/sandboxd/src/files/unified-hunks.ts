import type { DiffLine } from "./line-diff.ts";

/** Lines shown around each change. */
export const CONTEXT_LINES = 3;

/**
 * Unified format (POSIX `diff -u`, "Diff -u Output Format") without the file headers. `firstLine` is the number, in
 * both texts, of the first of the lines.
 */
export function unifiedHunks(lines: readonly DiffLine[], firstLine: number): string {
  const hunks: string[] = [];
  let [oldLine, newLine] = [firstLine, firstLine];
  let done = 0;
  for (const [start, end] of hunkRanges(lines)) {
    const [skipped, hunk] = [lines.slice(done, start), lines.slice(start, end)];
    oldLine += count(skipped, "+");
    newLine += count(skipped, "-");
    hunks.push(`@@ -${range(oldLine, count(hunk, "+"))} +${range(newLine, count(hunk, "-"))} @@\n`);
    hunks.push(hunk.map(({ sign, line }) => sign + ended(line)).join(""));
    done = start;
  }
  return hunks.join("");
}

/** From which line up to which: changes whose context touches share a hunk. */
function hunkRanges(lines: readonly DiffLine[]): readonly (readonly [number, number])[] {
  const ranges: [number, number][] = [];
  for (const [index, { sign }] of lines.entries()) {
    if (sign === " ") continue;
    const start = Math.max(0, index - CONTEXT_LINES);
    const end = Math.min(lines.length, index + CONTEXT_LINES + 1);
    const last = ranges.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = end;
    else ranges.push([start, end]);
  }
  return ranges;
}

/** The lines of one text: those that are not only in the other. */
const count = (lines: readonly DiffLine[], other: "-" | "+") => lines.filter(({ sign }) => sign !== other).length;

/** An empty range names the line before it. */
const range = (line: number, lines: number) => `${lines === 0 ? line - 1 : line},${lines}`;

const ended = (line: string) => (line.endsWith("\n") ? line : `${line}\n\\ No newline at end of file\n`);
