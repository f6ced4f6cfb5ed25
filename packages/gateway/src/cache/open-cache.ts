import { memoryAnswerCache } from "./memory-answer-cache.ts";
import type { CacheRules } from "../flow/core.ts";

export type CacheWanted = {
  /** Whether answers are kept for keys that do not say. */
  readonly enabled: boolean;
  /** An hour when undefined. */
  readonly ttlMs?: number;
};

const HOUR_MS = 3_600_000;
const MAX_ANSWER_BYTES = 2_000_000;

/** Answers in memory, each for the key that asked, where nothing wider is said. */
export function openCache({ enabled, ttlMs = HOUR_MS }: CacheWanted): CacheRules {
  const maxBytes = MAX_ANSWER_BYTES;
  const answers = memoryAnswerCache({ maxAnswerBytes: maxBytes });
  return { answers, scope: enabled ? "key" : "off", ttlMs, maxBytes, toolCalls: false };
}
