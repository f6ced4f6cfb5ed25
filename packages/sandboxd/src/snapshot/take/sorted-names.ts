import type { Turns } from "../turns.ts";

/** Names that are sorted in one go. */
const RUN = 4096;
/** Names that are merged between two looks at the clock. */
const STRIDE = 1024;

/** The names in the order of their characters, in turns where they are many. May change the given ones. */
export async function sortedNames(names: string[], turns: Turns): Promise<string[]> {
  if (names.length <= RUN) return names.sort();
  let runs: string[][] = [];
  for (let at = 0; at < names.length; at += RUN) {
    if (turns.isOver) await turns.rest();
    runs.push(names.slice(at, at + RUN).sort());
  }
  while (runs.length > 1) {
    const merged: string[][] = [];
    for (let at = 0; at < runs.length; at += 2) merged.push(await merge(runs[at] ?? [], runs[at + 1] ?? [], turns));
    runs = merged;
  }
  return runs[0] ?? [];
}

async function merge(one: readonly string[], other: readonly string[], turns: Turns): Promise<string[]> {
  const all: string[] = [];
  let [left, right] = [0, 0];
  for (let first = one[0], second = other[0]; first !== undefined || second !== undefined;) {
    if (all.length % STRIDE === 0 && turns.isOver) await turns.rest();
    if (second === undefined || (first !== undefined && first <= second)) {
      all.push(first ?? "");
      first = one[++left];
    } else {
      all.push(second);
      second = other[++right];
    }
  }
  return all;
}
