import { expect, test } from "vitest";
import type { Deployment, Group } from "../ports/deployment.ts";
import type { PriceList } from "../ports/price-list.ts";
import { readAsked } from "../request/asked.ts";
import { estimate } from "./estimate.ts";

/** A token of each kind at a price of its own, in dollars for a million. */
const PRICES: PriceList = {
  cost: ({ id }, usage) => {
    if (id === "unpriced") return undefined;
    const usd =
      usage.inputTokens + 2 * usage.cacheWriteTokens + 3 * usage.cacheWriteHourTokens + 10 * usage.outputTokens;
    return (usd * (id === "dear" ? 2 : 1)) / 1e6;
  },
  contextTokens: ({ model }) => (model === "small" ? 1000 : undefined),
};

function groupOf(...places: readonly Partial<Deployment>[]): Group {
  const deployments = places.map((own, index): Deployment => ({
    id: `d${index}`,
    name: "m",
    provider: "openai_compatible",
    model: "up",
    ...own,
  }));
  return { name: "m", deployments, strategy: "weighted", fallbacks: [], contextFallbacks: [], contentFallbacks: [] };
}

function reserved(body: object, group: Group, format: "chat" | "responses" | "embeddings" = "chat") {
  const bytes = Buffer.from(JSON.stringify({ model: "m", ...body }));
  const prompt = Math.ceil(bytes.length / 3);
  return { prompt, ...estimate(readAsked({ format, headers: {}, body: bytes }), group, PRICES) };
}

/** In billionths of a dollar. */
const nano = (perMillion: number) => Math.ceil(perMillion * 1000);

test("the answer that is reserved for is as long as the request says, by the name of its format, for each choice", () => {
  for (const [wanted, answer] of [
    [{ max_tokens: 50 }, 50],
    [{ max_completion_tokens: 60, max_tokens: 50 }, 60],
    [{ max_output_tokens: 70 }, 70],
    [{ max_tokens: 50, n: 4 }, 200],
    [{ max_tokens: -5 }, 8192],
    [{}, 8192],
  ] as const) {
    const { prompt, promptTokens, answerTokens, nanoUsd } = reserved(wanted, groupOf({}));
    expect([wanted, promptTokens, answerTokens, nanoUsd]).toEqual([wanted, prompt, answer, nano(prompt + 10 * answer)]);
  }
});

test("where the request does not say, the deployment's own most counts, or what its window holds", () => {
  expect(reserved({}, groupOf({ maxOutputTokens: 32_000 })).answerTokens).toBe(32_000);
  expect(reserved({}, groupOf({ contextTokens: 2000 })).answerTokens).toBe(2000);
  expect(reserved({}, groupOf({ model: "small" })).answerTokens).toBe(1000);
  expect(reserved({}, groupOf({ model: "small", prices: { inputUsdPerMillion: 1 } })).answerTokens).toBe(8192);
});

test("what is reserved is enough for the dearest deployment that may answer, and an embedding has no answer", () => {
  const { prompt, nanoUsd } = reserved({ max_tokens: 10 }, groupOf({}, { id: "dear" }, { id: "unpriced" }));
  expect(nanoUsd).toBe(nano(2 * (prompt + 100)));
  expect(reserved({ max_tokens: 10 }, groupOf({ id: "unpriced" })).nanoUsd).toBe(0);
  const embedding = reserved({ input: "text", max_tokens: 10 }, groupOf({}), "embeddings");
  expect([embedding.answerTokens, embedding.nanoUsd]).toEqual([0, nano(embedding.prompt)]);
});

test("a prompt that is to be kept by the provider is reserved for at the price of that", () => {
  const kept = (cache_control: object) =>
    reserved({ max_tokens: 1, system: [{ text: "x", cache_control }] }, groupOf({}));
  const short = kept({ type: "ephemeral" });
  expect(short.nanoUsd).toBe(nano(2 * short.prompt + 10));
  const long = kept({ type: "ephemeral", ttl: "1h" });
  expect(long.nanoUsd).toBe(nano(3 * long.prompt + 10));
});

test("a picture counts as a picture, not as its bytes", () => {
  const picture = `data:image/png;base64,${"A".repeat(300_000)}`;
  const text = {
    role: "user",
    content: [
      { type: "image_url", image_url: { url: picture } },
      { type: "text", text: picture },
    ],
  };
  const { promptTokens } = reserved({ messages: [text] }, groupOf({}));
  expect(promptTokens).toBeGreaterThan(2 * 2500);
  expect(promptTokens).toBeLessThan(2 * 2500 + 200);
  const short = reserved({ messages: [{ role: "user", content: "base64".repeat(10) }] }, groupOf({}));
  expect(short.promptTokens).toBe(short.prompt);
});
