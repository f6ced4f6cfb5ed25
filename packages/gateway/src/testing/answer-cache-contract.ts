import { expect, test } from "vitest";
import type { AnswerCache, CachedAnswer } from "../ports/answer-cache.ts";

/** An answer with a body of that many bytes, of every value. */
export function sampleAnswer(bytes = 300): CachedAnswer {
  return {
    status: 200,
    contentType: "text/event-stream; charset=utf-8",
    body: Uint8Array.from({ length: bytes }, (_, index) => index % 256),
    costUsd: 0.1 + 0.2,
    usage: '{"prompt_tokens":1,"text":"ü"}',
    storedAt: Date.UTC(2026, 10, 25),
  };
}

/** What every `AnswerCache` must do. `largest` is the size of the largest answer that it keeps. */
export function answerCacheContract(name: string, open: () => Promise<AnswerCache>, largest: number): void {
  test(`${name}: an answer comes back as it was, under its key only`, async () => {
    const cache = await open();
    await cache.set("a", sampleAnswer(), 60_000);
    const found = await cache.get("a");
    expect(found && { ...found, body: Uint8Array.from(found.body) }).toEqual(sampleAnswer());
    expect(await cache.get("b")).toBe(undefined);
    expect(cache.trouble()).toBe(undefined);
  });

  test(`${name}: an answer that is too large is not kept`, async () => {
    const cache = await open();
    await cache.set("small", sampleAnswer(largest), 60_000);
    await cache.set("large", sampleAnswer(largest + 1), 60_000);
    expect((await cache.get("small"))?.body.byteLength).toBe(largest);
    expect(await cache.get("large")).toBe(undefined);
  });

  test(`${name}: a newer answer takes an older one's place`, async () => {
    const cache = await open();
    await cache.set("a", sampleAnswer(10), 60_000);
    await cache.set("a", sampleAnswer(20), 60_000);
    expect((await cache.get("a"))?.body.byteLength).toBe(20);
  });
}
