import { expect, test } from "vitest";
import { NO_TOKENS, type TokenUsage } from "../ports/token-usage.ts";
import { priceList } from "../prices/price-list.ts";
import { wholeMeter } from "../tee/whole-meter.ts";
import { chatUsage, costIn, messagesUsage, responsesUsage } from "./usage.ts";

const used = (change: Partial<TokenUsage>): TokenUsage => ({ ...NO_TOKENS, ...change });

test.each<[string, unknown, Partial<TokenUsage>]>([
  ["nothing more", { prompt_tokens: 10, completion_tokens: 4 }, { inputTokens: 10, outputTokens: 4 }],
  [
    "OpenAI's parts",
    {
      prompt_tokens: 100,
      completion_tokens: 50,
      prompt_tokens_details: { cached_tokens: 40, audio_tokens: 10 },
      completion_tokens_details: { reasoning_tokens: 20, audio_tokens: 5, accepted_prediction_tokens: 3 },
    },
    {
      inputTokens: 50,
      cacheReadTokens: 40,
      inputAudioTokens: 10,
      outputTokens: 25,
      reasoningTokens: 20,
      outputAudioTokens: 5,
    },
  ],
  [
    "DeepSeek's cache hits",
    { prompt_tokens: 100, completion_tokens: 5, prompt_cache_hit_tokens: 64, prompt_cache_miss_tokens: 36 },
    { inputTokens: 36, cacheReadTokens: 64, outputTokens: 5 },
  ],
  [
    "a LiteLLM's cache writes, of five minutes and an hour",
    {
      prompt_tokens: 1000,
      completion_tokens: 5,
      cache_creation_input_tokens: 600,
      prompt_tokens_details: { cached_tokens: 300, cache_creation_token_details: { ephemeral_1h_input_tokens: 200 } },
    },
    { inputTokens: 100, cacheReadTokens: 300, cacheWriteTokens: 400, cacheWriteHourTokens: 200, outputTokens: 5 },
  ],
  [
    "cache writes among the details",
    { prompt_tokens: 1000, completion_tokens: 5, prompt_tokens_details: { cache_write_tokens: 600 } },
    { inputTokens: 400, cacheWriteTokens: 600, outputTokens: 5 },
  ],
  [
    "parts that are more than the whole",
    { prompt_tokens: 5, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 8 } },
    { cacheReadTokens: 8, outputTokens: 5 },
  ],
])("usage of Chat with %s", (_name, usage, expected) => {
  expect(chatUsage(usage)).toEqual(used(expected));
});

test("usage of Responses, and of Messages, whose parts do not overlap", () => {
  expect(
    responsesUsage({
      input_tokens: 100,
      output_tokens: 50,
      input_tokens_details: { cached_tokens: 40 },
      output_tokens_details: { reasoning_tokens: 20 },
    }),
  ).toEqual(used({ inputTokens: 60, cacheReadTokens: 40, outputTokens: 30, reasoningTokens: 20 }));
  expect(
    messagesUsage({
      input_tokens: 100,
      cache_read_input_tokens: 40,
      cache_creation_input_tokens: 300,
      cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 },
      output_tokens: 50,
      output_tokens_details: { thinking_tokens: 20 },
    }),
  ).toEqual(
    used({
      inputTokens: 100,
      cacheReadTokens: 40,
      cacheWriteTokens: 100,
      cacheWriteHourTokens: 200,
      outputTokens: 30,
      reasoningTokens: 20,
    }),
  );
});

test("what is no usage is none, and a cost must be a number that can be paid", () => {
  for (const nothing of [undefined, null, "many", 7])
    expect([chatUsage(nothing), responsesUsage(nothing), messagesUsage(nothing)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  expect([
    costIn({ cost: 0.5 }),
    costIn({ cost: -1 }),
    costIn({ cost: "1" }),
    costIn({ cost: Number.POSITIVE_INFINITY }),
    costIn(null),
  ]).toEqual([0.5, undefined, undefined, undefined, undefined]);
});

test("what providers write on their bills", () => {
  const prices = priceList();
  const billed = (provider: "openai" | "anthropic", model: string, format: "chat" | "messages", answer: object) => {
    const meter = wholeMeter(format, Buffer.from(JSON.stringify(answer)), {});
    const usage = meter.usage() ?? NO_TOKENS;
    return prices.cost({ id: "d", name: "m", provider, model }, usage, { tier: meter.tier?.() });
  };
  const usage = { prompt_tokens: 10_000, completion_tokens: 1000, prompt_tokens_details: { cached_tokens: 8000 } };
  // 2,000 at 2.50, 8,000 at 1.25, and 1,000 at 10 for a million.
  expect(billed("openai", "gpt-4o", "chat", { usage })).toBeCloseTo(0.005 + 0.01 + 0.01, 12);
  expect(billed("openai", "gpt-4o", "chat", { usage, service_tier: "default" })).toBeCloseTo(0.025, 12);
  expect(billed("openai", "gpt-4o", "chat", { usage, service_tier: "flex" })).toBeCloseTo(0.0125, 12);
  expect(billed("openai", "gpt-4o", "chat", { usage, service_tier: "priority" })).toBeCloseTo(0.05, 12);
  const written = {
    input_tokens: 1000,
    cache_read_input_tokens: 10_000,
    cache_creation_input_tokens: 3000,
    cache_creation: { ephemeral_5m_input_tokens: 2000, ephemeral_1h_input_tokens: 1000 },
    output_tokens: 500,
  };
  // At 3, 0.30, 3.75, 6 and 15 for a million.
  const usd = 0.003 + 0.003 + 0.0075 + 0.006 + 0.0075;
  expect(billed("anthropic", "claude-sonnet-4-5", "messages", { usage: written })).toBeCloseTo(usd, 12);
  const batch = { usage: { ...written, service_tier: "batch" } };
  expect(billed("anthropic", "claude-sonnet-4-5", "messages", batch)).toBeCloseTo(usd / 2, 12);
});
