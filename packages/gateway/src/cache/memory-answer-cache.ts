import { LRUCache } from "lru-cache";
import type { AnswerCache, CachedAnswer } from "../ports/answer-cache.ts";

export type MemoryAnswerCacheOptions = {
  /** Of all answers together, with what holds them; 64 MB when undefined. */
  readonly maxBytes?: number;
  /** Of one answer; 2 MB when undefined. */
  readonly maxAnswerBytes?: number;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
};

/** What an entry takes beside its body and its texts. */
const ENTRY_BYTES = 500;

type Kept = { readonly answer: CachedAnswer; readonly until: number };

/** Answers in this process's memory. Those that were not asked for the longest go first. */
export function memoryAnswerCache(options: MemoryAnswerCacheOptions = {}): AnswerCache {
  const { maxBytes = 64_000_000, maxAnswerBytes = 2_000_000, now = Date.now } = options;
  const kept = new LRUCache<string, Kept>({
    maxSize: maxBytes,
    sizeCalculation: ({ answer }, key) => ENTRY_BYTES + answer.body.byteLength + 2 * (key.length + answer.usage.length),
  });
  return {
    kind: "local",
    async get(key) {
      const found = kept.get(key);
      if (found === undefined) return undefined;
      if (found.until > now()) return found.answer;
      kept.delete(key);
      return undefined;
    },
    async set(key, answer, ttlMs) {
      if (answer.body.byteLength > maxAnswerBytes) return;
      // A view of a large buffer would keep all of it.
      kept.set(key, { answer: { ...answer, body: Uint8Array.from(answer.body) }, until: now() + ttlMs });
    },
    trouble: () => undefined,
    async close() {
      kept.clear();
    },
  };
}
