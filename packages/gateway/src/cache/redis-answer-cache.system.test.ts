import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { AnswerCache } from "../ports/answer-cache.ts";
import { answerCacheContract, sampleAnswer } from "../testing/answer-cache-contract.ts";
import { eventually } from "../testing/postgres-server.ts";
import { canStartRedis, startRedis, type RedisServer } from "../testing/redis-server.ts";
import { redisAnswerCache } from "./redis-answer-cache.ts";

const LARGEST = 1000;
const opened: AnswerCache[] = [];
let server: RedisServer;

/** Given once it keeps something. On a busy machine more than 50 ms may pass. */
async function open(withinMs = 10_000): Promise<AnswerCache> {
  const cache = redisAnswerCache({ url: server.url, maxAnswerBytes: LARGEST, withinMs });
  opened.push(cache);
  await keeps(cache);
  return cache;
}

const keeps = (cache: AnswerCache) =>
  eventually(async () => {
    await cache.set("first", sampleAnswer(1), 60_000);
    expect((await cache.get("first"))?.status).toBe(200);
  });

describe.skipIf(!canStartRedis())("answers in Redis", () => {
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());
  afterEach(async () => {
    for (const cache of opened.splice(0)) await cache.close();
  });

  answerCacheContract("redis", () => open(), LARGEST);

  test("an answer is gone when its time is over, and other replicas have it until then", async () => {
    const [here, there] = [await open(), await open()];
    await here.set("short", sampleAnswer(), 1);
    await eventually(async () => expect(await here.get("short")).toBe(undefined));
    await here.set("long", sampleAnswer(), 60_000);
    await eventually(async () => expect((await there.get("long"))?.status).toBe(200));
  });

  test("while Redis stands still or is gone there are no answers, nothing fails, and most calls do not wait", async () => {
    const cache = await open(50);
    server.signal("SIGSTOP");
    const found = await Promise.all(Array.from({ length: 20 }, () => cache.get("first")));
    expect(found.every((answer) => answer === undefined)).toBe(true);
    await cache.set("first", sampleAnswer(), 60_000);
    expect(cache.trouble()).toContain("does not answer");
    server.signal("SIGCONT");
    await keeps(cache);
    expect(cache.trouble()).toBe(undefined);
    await server.stop();
    await eventually(async () => expect(await cache.get("first")).toBe(undefined));
    await eventually(async () => {
      await cache.get("first");
      expect(cache.trouble()).toContain("does not answer");
    });
  });
});
