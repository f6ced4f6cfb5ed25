import { expect, test } from "vitest";
import type { Deployment } from "../ports/deployment.ts";
import { NO_TOKENS, type TokenUsage } from "../ports/token-usage.ts";
import { priceList } from "./price-list.ts";

const prices = priceList(() => Date.UTC(2026, 10, 25));
const place = (change: Partial<Deployment>): Deployment => ({
  id: "d",
  name: "n",
  provider: "openai",
  model: "gpt-4o",
  ...change,
});
const used = (change: Partial<TokenUsage>): TokenUsage => ({ ...NO_TOKENS, ...change });

test.each<[string, Partial<Deployment>, Partial<TokenUsage>, number]>([
  ["gpt-4o: 2.50 in, 10 out", {}, { inputTokens: 1000, outputTokens: 100 }, 0.0025 + 0.001],
  ["cached input at 1.25", {}, { inputTokens: 1000, cacheReadTokens: 3000, outputTokens: 0 }, 0.0025 + 0.003_75],
  ["reasoning as output", {}, { inputTokens: 1000, reasoningTokens: 100 }, 0.0035],
  [
    "claude: 3 in, 0.30 read, 3.75 and 6 written, 15 out",
    { provider: "anthropic", model: "claude-sonnet-4-5" },
    {
      inputTokens: 1000,
      cacheReadTokens: 1000,
      cacheWriteTokens: 1000,
      cacheWriteHourTokens: 1000,
      outputTokens: 1000,
    },
    0.003 + 0.0003 + 0.003_75 + 0.006 + 0.015,
  ],
  [
    "a prompt over 200,000 tokens costs the higher price for all of it",
    { provider: "anthropic", model: "claude-sonnet-4-5" },
    { inputTokens: 100_000, cacheReadTokens: 150_000, outputTokens: 1000 },
    0.6 + 0.09 + 0.0225,
  ],
  [
    "a name with its provider before it",
    { provider: "litellm", model: "openai/gpt-4o" },
    { inputTokens: 1000 },
    0.0025,
  ],
])("%s", (_name, deployment, usage, usd) => {
  expect(prices.cost(place(deployment), used(usage))).toBeCloseTo(usd, 12);
});

test("a deployment's own prices win, and are not mixed with listed ones for cached input", () => {
  const own = place({ prices: { inputUsdPerMillion: 1, outputUsdPerMillion: 2 } });
  expect(prices.cost(own, used({ inputTokens: 10, cacheReadTokens: 10, outputTokens: 10 }))).toBe(
    10 * (1 / 1e6) + 10 * (1 / 1e6) + 10 * (2 / 1e6),
  );
});

test("what nobody has priced has no cost, rather than none", () => {
  expect(prices.cost(place({ provider: "ollama", model: "some-local-model" }), used({ inputTokens: 5 }))).toBe(
    undefined,
  );
  expect(prices.contextTokens(place({ provider: "ollama", model: "some-local-model" }))).toBe(undefined);
});

test("a local name is priced as the model that it stands for", () => {
  const local = place({ provider: "azure", model: "my-deployment", priceModel: "gpt-4o" });
  expect(prices.cost(local, used({ inputTokens: 1_000_000 }))).toBe(2.5);
});

test("a call that may wait costs half, one that goes first at OpenAI twice as much", () => {
  const usage = used({ inputTokens: 1_000_000 });
  const costs = (deployment: Partial<Deployment>) =>
    ["batch", "flex", "priority", "default", "constructor"].map((tier) =>
      prices.cost(place(deployment), usage, { tier }),
    );
  expect(costs({})).toEqual([1.25, 1.25, 5, 2.5, 2.5]);
  expect(costs({ provider: "anthropic", model: "claude-sonnet-4-5", prices: { inputUsdPerMillion: 4 } })).toEqual([
    2, 2, 4, 4, 4,
  ]);
});

const OWN = {
  inputUsdPerMillion: 1,
  outputUsdPerMillion: 2,
  cacheReadUsdPerMillion: 4,
  cacheWriteUsdPerMillion: 8,
  cacheWriteHourUsdPerMillion: 16,
  reasoningUsdPerMillion: 32,
  inputAudioUsdPerMillion: 64,
  outputAudioUsdPerMillion: 128,
};

const ONE_OF_EACH = used({
  inputTokens: 1e6,
  outputTokens: 1e6,
  cacheReadTokens: 1e6,
  cacheWriteTokens: 1e6,
  cacheWriteHourTokens: 1e6,
  reasoningTokens: 1e6,
  inputAudioTokens: 1e6,
  outputAudioTokens: 1e6,
});

test("each kind of token has a price of its own, and one without costs what it is a kind of", () => {
  expect(prices.cost(place({ prices: OWN }), ONE_OF_EACH)).toBe(255);
  const without = (...names: (keyof typeof OWN)[]) =>
    prices.cost(
      place({
        prices: Object.fromEntries(Object.entries(OWN).filter(([name]) => !names.some((each) => each === name))),
      }),
      ONE_OF_EACH,
    );
  expect(without("cacheReadUsdPerMillion")).toBe(255 - 4 + 1);
  expect(without("cacheWriteUsdPerMillion")).toBe(255 - 8 + 1);
  expect(without("cacheWriteHourUsdPerMillion")).toBe(255 - 16 + 8);
  expect(without("cacheWriteUsdPerMillion", "cacheWriteHourUsdPerMillion")).toBe(255 - 8 - 16 + 1 + 1);
  expect(without("reasoningUsdPerMillion")).toBe(255 - 32 + 2);
  expect(without("inputAudioUsdPerMillion")).toBe(255 - 64 + 1);
  expect(without("outputAudioUsdPerMillion")).toBe(255 - 128 + 2);
});

test("sound has the listed price of sound", () => {
  const audio = place({ model: "gpt-4o-realtime-preview" });
  expect(prices.cost(audio, used({ inputTokens: 1e6, inputAudioTokens: 1e6 }))).toBe(5 + 40);
  expect(prices.cost(audio, used({ outputTokens: 1e6, outputAudioTokens: 1e6 }))).toBe(20 + 80);
  // A price of one's own for the whole is not mixed with the list's for a part of it.
  const own = place({ model: "gpt-4o-realtime-preview", prices: { inputUsdPerMillion: 1, outputUsdPerMillion: 2 } });
  expect(prices.cost(own, used({ inputAudioTokens: 1e6, outputAudioTokens: 1e6 }))).toBe(1 + 2);
});

test("the higher price begins with the first token over its bound", () => {
  const long = place({ provider: "anthropic", model: "claude-sonnet-4-5" });
  expect(prices.cost(long, used({ inputTokens: 200_000 }))).toBeCloseTo(0.6, 12);
  expect(prices.cost(long, used({ inputTokens: 200_001 }))).toBeCloseTo(0.2 * 6 + 0.000_006, 12);
});

test("a model is looked up by where its address points", () => {
  const usage = used({ inputTokens: 1e6 });
  const there = place({
    provider: "openai_compatible",
    baseUrl: "https://api.groq.com/openai/v1",
    model: "openai/gpt-oss-120b",
  });
  expect(prices.cost(there, usage)).toBe(prices.cost(place({ provider: "groq", model: "openai/gpt-oss-120b" }), usage));
});
