import { createClient, RESP_TYPES } from "redis";
import type { AnswerCache, CachedAnswer } from "../ports/answer-cache.ts";

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

/** After Redis did not answer in time, nobody asks for so long. */
const REST_MS = 1000;

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
  const guard = breaker(withinMs);
  client.on("error", guard.failed);
  const connected = client.connect().catch(guard.failed);
  const buffers = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  return {
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

/** Bounds every question, and asks none for a while after one was not answered. */
function breaker(withinMs: number) {
  let restingUntil = -Infinity;
  let trouble: string | undefined;
  const failed = (thrown: unknown): void => {
    restingUntil = performance.now() + REST_MS;
    trouble = `The cache in Redis does not answer: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  };
  return {
    failed,
    trouble: () => trouble,
    async ask<Value>(work: () => Promise<Value>): Promise<Value | undefined> {
      if (performance.now() < restingUntil) return undefined;
      try {
        const value = await soon(work(), withinMs);
        trouble = undefined;
        return value;
      } catch (thrown) {
        failed(thrown);
        return undefined;
      }
    },
  };
}

async function soon<Value>(work: Promise<Value>, withinMs: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${withinMs} ms`)), withinMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
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
