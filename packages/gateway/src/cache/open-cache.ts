import type { CacheRules } from "../flow/core.ts";
import type { AnswerCache } from "../ports/answer-cache.ts";
import { memoryAnswerCache } from "./memory-answer-cache.ts";

export type CacheWanted = {
  /** Whether answers are kept for keys that do not say. */
  readonly enabled: boolean;
  /** An hour when undefined. */
  readonly ttlMs?: number;
  /** Where they are kept; in memory when undefined. */
  readonly redisUrl?: string;
  readonly namespace?: string;
};

const HOUR_MS = 3_600_000;
const MAX_ANSWER_BYTES = 2_000_000;

/** Answers, each for the key that asked, where nothing wider is said. In memory, whatever `redisUrl` says. */
export function openCache(wanted: CacheWanted): CacheRules {
  return rulesOf(wanted, memoryAnswerCache({ maxAnswerBytes: MAX_ANSWER_BYTES }));
}

/** As `openCache`, and in Redis where its address is given. */
export async function openSharedCache(wanted: CacheWanted): Promise<CacheRules> {
  const { redisUrl: url, namespace } = wanted;
  if (url === undefined) return openCache(wanted);
  const { redisAnswerCache } = await import("./redis-answer-cache.ts");
  const options = { url, maxAnswerBytes: MAX_ANSWER_BYTES, ...(namespace !== undefined && { namespace }) };
  return rulesOf(wanted, redisAnswerCache(options));
}

function rulesOf({ enabled, ttlMs = HOUR_MS }: CacheWanted, answers: AnswerCache): CacheRules {
  return { answers, scope: enabled ? "key" : "off", ttlMs, maxBytes: MAX_ANSWER_BYTES, toolCalls: false };
}
