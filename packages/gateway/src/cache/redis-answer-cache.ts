import { createClient, RESP_TYPES } from "redis";
import type { AnswerCache, CachedAnswer } from "../ports/answer-cache.ts";
import { redisGuard, REST_MS } from "../redis/redis-guard.ts";

export type RedisAnswerCacheOptions = {
  /** `redis://…` or `rediss://…` */
  readonly url: string;
  /** In front of every key, so that several gateways can share a Redis; `handrail:answer` when undefined. */
  readonly namespace?: string;
  /** Of one answer; 2 MB when undefined. */
  readonly maxAnswerBytes?: number;
  /** What a call may wait for the cache, in milliseconds; 50 when undefined. */
  readonly withinMs?: number;
};

/** Answers in Redis, for all replicas. While it is away, or slow, there are none: a call never waits for long. */
export function redisAnswerCache(options: RedisAnswerCacheOptions): AnswerCache {
  const { url, namespace = "handrail:answer", maxAnswerBytes = 2_000_000, withinMs = 50 } = options;
  const nameOf = (key: string): string => `${namespace}:${key}`;
  const client = createClient({
    url,
    // What waits for a lost connection would be asked long after nobody wants to know.
    disableOfflineQueue: true,
    commandsQueueMaxLength: 1000,
    socket: { connectTimeout: 1000, reconnectStrategy: REST_MS },
  });
  const guard = redisGuard("The cache", withinMs);
  client.on("error", guard.failed);
  const connected = client.connect().catch(guard.failed);
  const buffers = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  return {
    kind: "redis",
    async get(key) {
      const found = await guard.ask(async () => {
        await connected;
        return await buffers.get(nameOf(key));
      });
      return found ? unpacked(found) : undefined;
    },
    async set(key, answer, ttlMs) {
      if (answer.body.byteLength > maxAnswerBytes) return;
      await guard.ask(async () => {
        await connected;
        return await client.set(nameOf(key), packed(answer), { expiration: { type: "PX", value: ttlMs } });
      });
    },
    trouble: guard.trouble,
    async close() {
      client.destroy();
    },
  };
}

/** A line of JSON, and the body. */
function packed({ body, ...rest }: CachedAnswer): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(rest)}\n`), body]);
}

/** Undefined for what something else wrote. */
function unpacked(bytes: Buffer): CachedAnswer | undefined {
  const end = bytes.indexOf("\n");
  try {
    const rest = JSON.parse(bytes.toString("utf8", 0, end)) as Omit<CachedAnswer, "body">;
    return { ...rest, body: bytes.subarray(end + 1) };
  } catch {
    return undefined;
  }
}
