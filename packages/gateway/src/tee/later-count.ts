/** Counts only when it is asked to, which for most answers it never is. */
export type LaterCount = {
  keep(text: string): void;
  /** Of all that was ever kept. */
  count(): number;
  /** How many characters wait to be counted. */
  waiting(): number;
};

/** What waits is counted, too, when it is more than that. */
export function laterCount(countOf: (text: string) => number, maxWaiting: number): LaterCount {
  const texts: string[] = [];
  let waiting = 0;
  let counted = 0;
  const count = () => {
    for (const text of texts) counted += countOf(text);
    texts.length = 0;
    waiting = 0;
    return counted;
  };
  return {
    keep(text) {
      texts.push(text);
      waiting += text.length;
      if (waiting > maxWaiting) count();
    },
    count,
    waiting: () => waiting,
  };
}
