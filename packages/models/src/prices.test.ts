import { expect, test } from "vitest";
import { tokenLimits } from "./default-limits.ts";
import { pricesOf } from "./prices.ts";

const usage = (inputTokens: number, cacheReadTokens: number) => ({
  inputTokens,
  outputTokens: 1000,
  cacheReadTokens,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
});

test("cached tokens are a cheaper part of the input, not more of it", () => {
  const prices = pricesOf({ dialect: "anthropic", model: "claude-sonnet-4-5" });
  // 3 dollars a million in, 0.30 from the cache, 15 out.
  expect(prices.cost(usage(10_000, 0))).toBeCloseTo(0.03 + 0.015, 9);
  expect(prices.cost(usage(10_000, 8000))).toBeCloseTo(0.006 + 0.0024 + 0.015, 9);
  expect(prices.price({ inputTokens: 10_000, outputTokens: 1000 })).toBeCloseTo(0.045, 9);
});

test("a usage whose parts are more than the whole still has a price", () => {
  expect(pricesOf({ dialect: "openai", model: "gpt-5" }).cost(usage(10, 50))).toBeGreaterThan(0);
});

test("the setting's own prices win over the list", () => {
  const set = { dialect: "openai", model: "gpt-5", inputUsdPerMillion: 2, outputUsdPerMillion: 4 } as const;
  expect(pricesOf(set).cost(usage(1_000_000, 500_000))).toBeCloseTo(2.004, 9);
});

test("a model is found by its name behind a gateway, and a local one has no price", () => {
  const baseUrl = "http://gateway.test:4000/v1";
  const cost = (model: string) => pricesOf({ dialect: "openai", model, baseUrl }).cost(usage(1000, 0));
  expect(cost("anthropic/claude-sonnet-4-5")).toBeCloseTo(0.018, 9);
  expect(cost("bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0")).toBeGreaterThan(0);
  expect(cost("qwen3-coder:30b")).toBeUndefined();
});

test("token limits are those set, else those known, else 128,000 and 8,192", () => {
  const limits = (model: string, set: object = {}) => tokenLimits({ dialect: "openai", model, ...set });
  expect(limits("qwen3:8b")).toEqual({ contextTokens: 128_000, maxOutputTokens: 8192 });
  expect(limits("claude-sonnet-4-5")).toEqual({ contextTokens: 200_000, maxOutputTokens: 32_000 });
  expect(limits("gpt-4")).toEqual({ contextTokens: 8192, maxOutputTokens: 4096 });
  expect(limits("x", { contextTokens: 9, maxOutputTokens: 5 })).toEqual({ contextTokens: 9, maxOutputTokens: 5 });
});
