import { z } from "zod";

/**
 * What a run, or a whole conversation, may use. An absent field means no limit of that kind.
 * `maxTokens` counts input and output tokens of every step, cached ones included. `maxTimeMs` is wall time of runs.
 */
export const Limits = z.strictObject({
  maxCostUsd: z.number().positive().max(1_000_000).optional(),
  maxSteps: z.number().int().positive().max(100_000).optional(),
  maxTokens: z.number().int().positive().max(10_000_000_000).optional(),
  maxTimeMs: z
    .number()
    .int()
    .positive()
    .max(30 * 86_400_000)
    .optional(),
});
export type Limits = z.infer<typeof Limits>;

export const LimitName = z.enum(["maxCostUsd", "maxSteps", "maxTokens", "maxTimeMs"]);
export type LimitName = z.infer<typeof LimitName>;

export const LimitScope = z.enum(["run", "conversation"]);
export type LimitScope = z.infer<typeof LimitScope>;

/** Tokens of one model call. `inputTokens` is the whole prompt, cached and newly cached tokens included. */
export const Usage = z.strictObject({
  inputTokens: z.number().int().nonnegative(),
  outputTokens: z.number().int().nonnegative(),
  cacheReadTokens: z.number().int().nonnegative(),
  cacheWriteTokens: z.number().int().nonnegative(),
  reasoningTokens: z.number().int().nonnegative(),
});
export type Usage = z.infer<typeof Usage>;

export const NO_USAGE: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
};
