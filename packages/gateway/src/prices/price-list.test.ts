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

test("a local name is priced as the model that it stands for, a batch at half", () => {
  const local = place({ provider: "azure", model: "my-deployment", priceModel: "gpt-4o" });
  const usage = used({ inputTokens: 1_000_000 });
  expect([prices.cost(local, usage), prices.cost(local, usage, { batch: true })]).toEqual([2.5, 1.25]);
});
