import { expect, test } from "vitest";
import { answerCacheContract, sampleAnswer } from "../testing/answer-cache-contract.ts";
import { memoryAnswerCache } from "./memory-answer-cache.ts";

const LARGEST = 1000;

answerCacheContract("memory", async () => memoryAnswerCache({ maxAnswerBytes: LARGEST }), LARGEST);

test("an answer is gone when its time is over", async () => {
  let now = 1000;
  const cache = memoryAnswerCache({ now: () => now });
  await cache.set("a", sampleAnswer(), 500);
  now = 1499;
  expect((await cache.get("a"))?.status).toBe(200);
  now = 1500;
  expect(await cache.get("a")).toBe(undefined);
});

test("all answers together take no more than the limit, and the one asked for last stays", async () => {
  const cache = memoryAnswerCache({ maxBytes: 5000 });
  for (const key of ["a", "b", "c"]) await cache.set(key, sampleAnswer(1000), 60_000);
  await cache.get("a");
  await cache.set("d", sampleAnswer(1000), 60_000);
  const found = await Promise.all(["a", "b", "c", "d"].map(async (key) => (await cache.get(key)) !== undefined));
  expect(found).toEqual([true, false, true, true]);
});

test("a small answer in a large buffer does not keep the buffer", async () => {
  const cache = memoryAnswerCache();
  await cache.set("a", { ...sampleAnswer(), body: new Uint8Array(1_000_000).subarray(0, 10) }, 60_000);
  expect((await cache.get("a"))?.body.buffer.byteLength).toBe(10);
});
