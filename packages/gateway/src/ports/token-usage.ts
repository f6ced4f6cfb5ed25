/**
 * Tokens of one call in buckets that do not overlap: each token is counted, and priced, once. The whole prompt is the sum
 * of the input buckets, the whole answer the sum of the output ones.
 */
export type TokenUsage = {
  /** Text and images of the prompt that were neither read from a cache nor written to one. */
  readonly inputTokens: number;
  readonly inputAudioTokens: number;
  readonly cacheReadTokens: number;
  /** Written to a cache that lives five minutes, or whatever the provider's usual time is. */
  readonly cacheWriteTokens: number;
  /** Written to a cache that lives an hour. */
  readonly cacheWriteHourTokens: number;
  /** Text of the answer, reasoning not counted. */
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly outputAudioTokens: number;
};

export const NO_TOKENS: TokenUsage = {
  inputTokens: 0,
  inputAudioTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  cacheWriteHourTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  outputAudioTokens: 0,
};

/** The whole prompt. */
export function promptTokens(usage: TokenUsage): number {
  return (
    usage.inputTokens +
    usage.inputAudioTokens +
    usage.cacheReadTokens +
    usage.cacheWriteTokens +
    usage.cacheWriteHourTokens
  );
}

/** The whole answer. */
export function answerTokens(usage: TokenUsage): number {
  return usage.outputTokens + usage.reasoningTokens + usage.outputAudioTokens;
}
