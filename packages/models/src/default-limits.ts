import type { ModelSetting } from "@handrail/protocol/settings";
import { listedContextTokens } from "./prices.ts";

const CONTEXT_TOKENS = 128_000;
const OUTPUT_TOKENS = 8_192;

/** Families whose documented output cap is at least this; the price list has no such number. */
const LONG_ANSWERS =
  /claude-(?:3-7|(?:opus|sonnet|haiku|fable|mythos)-[4-9])|claude-[4-9]|gpt-5|gemini-(?:2\.5|[3-9])|\bo[34]\b/;
const LONG_OUTPUT_TOKENS = 32_000;

/** What fits into a model's window and answer, in tokens: as set, else as known of it, else 128,000 and 8,192. */
export function tokenLimits(setting: ModelSetting): {
  readonly contextTokens: number;
  readonly maxOutputTokens: number;
} {
  const contextTokens = setting.contextTokens ?? listedContextTokens(setting) ?? CONTEXT_TOKENS;
  const usual = LONG_ANSWERS.test(setting.model) ? LONG_OUTPUT_TOKENS : OUTPUT_TOKENS;
  return { contextTokens, maxOutputTokens: setting.maxOutputTokens ?? Math.min(usual, Math.floor(contextTokens / 2)) };
}
