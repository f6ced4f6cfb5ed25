/**
 * How much two lines have in common, from 0 to 1: the characters of words and signs that both have, of all. Order and
 * white space do not count; two lines without words are as unlike as can be.
 */
export function lineSimilarity(left: string, right: string): number {
  const [ours, theirs] = [tokensOf(left), tokensOf(right)];
  const total = sizeOf(ours) + sizeOf(theirs);
  if (total === 0) return 0;
  const counts = new Map<string, number>();
  for (const token of ours) counts.set(token, (counts.get(token) ?? 0) + 1);
  let common = 0;
  for (const token of theirs) {
    const count = counts.get(token) ?? 0;
    if (count === 0) continue;
    counts.set(token, count - 1);
    common += token.length;
  }
  return (2 * common) / total;
}

const tokensOf = (line: string): readonly string[] => line.match(/[\p{L}\p{N}_]+|[^\p{L}\p{N}_\s]/gu) ?? [];
const sizeOf = (tokens: readonly string[]) => tokens.reduce((sum, token) => sum + token.length, 0);
