/** A line, with its end: in both texts, only in the old one, or only in the new one. */
export type DiffLine = { readonly sign: " " | "-" | "+"; readonly line: string };

const MAX_EDITS = 500;

/** How far along the old lines the search came, by diagonal (old index less new index). */
type Reached = ReadonlyMap<number, number>;

/**
 * How lines became other lines: the fewest edits, or all for all where they differ by more than 500.
 * Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), §4: the greedy algorithm, with its trace.
 */
export function diffLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  const trace: Reached[] = [];
  let reached: Reached = new Map([[1, 0]]);
  for (let edits = 0; edits <= Math.min(MAX_EDITS, before.length + after.length); edits++) {
    trace.push(reached);
    reached = oneMoreEdit(reached, edits, before, after);
    const end = reached.get(before.length - after.length) ?? -1;
    if (end >= before.length) return walked(trace, before, after);
  }
  return [
    ...before.map((line): DiffLine => ({ sign: "-", line })),
    ...after.map((line): DiffLine => ({ sign: "+", line })),
  ];
}

function oneMoreEdit(reached: Reached, edits: number, before: readonly string[], after: readonly string[]): Reached {
  const further = new Map<number, number>();
  for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
    let x = comesDown(reached, diagonal, edits) ? at(reached, diagonal + 1) : at(reached, diagonal - 1) + 1;
    while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x++;
    further.set(diagonal, x);
  }
  return further;
}

/** Whether the furthest way onto a diagonal adds a line, rather than removes one. */
function comesDown(reached: Reached, diagonal: number, edits: number): boolean {
  return diagonal === -edits || (diagonal !== edits && at(reached, diagonal - 1) < at(reached, diagonal + 1));
}

const at = (reached: Reached, diagonal: number) => reached.get(diagonal) ?? -1;

/** The way back from the end of both texts, turned round. */
function walked(trace: readonly Reached[], before: readonly string[], after: readonly string[]): DiffLine[] {
  const lines: DiffLine[] = [];
  let [x, y] = [before.length, after.length];
  const backTo = (startX: number): void => {
    for (; x > startX; y--) lines.push({ sign: " ", line: before[--x] ?? "" });
  };
  for (const [edits, reached] of [...trace.entries()].slice(1).toReversed()) {
    const diagonal = x - y;
    const down = comesDown(reached, diagonal, edits);
    backTo(down ? at(reached, diagonal + 1) : at(reached, diagonal - 1) + 1);
    lines.push(down ? { sign: "+", line: after[--y] ?? "" } : { sign: "-", line: before[--x] ?? "" });
  }
  backTo(0);
  return lines.toReversed();
}
