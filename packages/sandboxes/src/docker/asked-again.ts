/**
 * Asks once for all that ask. What may change is asked for again after `afterMs`, a failure at once, and an answer that
 * `isLasting` never.
 */
export function askedAgain<Answer>(
  afterMs: number,
  ask: () => Promise<Answer>,
  isLasting: (answer: Answer) => boolean,
): () => Promise<Answer> {
  let until = 0;
  let answer: Promise<Answer> | undefined;
  return () => {
    if (answer !== undefined && performance.now() < until) return answer;
    until = Number.POSITIVE_INFINITY;
    answer = ask();
    answer.then(
      (given) => (until = isLasting(given) ? until : performance.now() + afterMs),
      () => (until = 0),
    );
    return answer;
  };
}
