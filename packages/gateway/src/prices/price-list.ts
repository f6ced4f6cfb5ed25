import type { ModelPrice } from "@pydantic/genai-prices";
import type { Deployment, PriceOverrides, Provider } from "../ports/deployment.ts";
import type { PriceList } from "../ports/price-list.ts";
import { promptTokens, type TokenUsage } from "../ports/token-usage.ts";
import { type ListedModel, modelRates } from "./model-rates.ts";

/** US dollars for a million tokens of each bucket. */
type Rates = { readonly [Bucket in keyof TokenUsage]: number };

/** Calls that may wait cost half at OpenAI, Anthropic and Google. */
const TIER_SHARES: Readonly<Record<string, number>> = { batch: 0.5, flex: 0.5 };
/** OpenAI's calls that go first cost up to twice as much; elsewhere they are paid for in other ways. */
const PRIORITY_SHARE = 2;
const PRIORITY_OF: ReadonlySet<Provider> = new Set(["openai", "azure"]);

/**
 * A deployment's own prices, else those of the price list that comes with Handrail. A bucket without a price of its own costs
 * what the bucket does that it is a kind of: reasoning as output, cached prompts as input.
 */
export function priceList(now: () => number = Date.now): PriceList {
  const listed = modelRates(now);
  return {
    cost(deployment, usage, { tier } = {}) {
      const rates = ratesOf(deployment.prices, () => listed(deployment), promptTokens(usage));
      if (rates === undefined) return undefined;
      const usd = costAt(rates, usage);
      return tier === undefined ? usd : usd * shareOf(tier, deployment);
    },
    contextTokens: (deployment) => deployment.contextTokens ?? listed(deployment)?.contextTokens,
  };
}

function shareOf(tier: string, { provider }: Deployment): number {
  if (tier === "priority" && PRIORITY_OF.has(provider)) return PRIORITY_SHARE;
  return Object.hasOwn(TIER_SHARES, tier) ? (TIER_SHARES[tier] ?? 1) : 1;
}

/** Prompt and answer are summed apart and then together, as LiteLLM does, so that both books agree to the last digit. */
function costAt(rates: Rates, usage: TokenUsage): number {
  const part = (bucket: keyof TokenUsage) => usage[bucket] * (rates[bucket] / 1e6);
  const prompt =
    part("inputTokens") +
    part("cacheReadTokens") +
    part("cacheWriteTokens") +
    part("cacheWriteHourTokens") +
    part("inputAudioTokens");
  return prompt + (part("outputTokens") + part("outputAudioTokens") + part("reasoningTokens"));
}

/** With prices of its own for neither input nor output, a deployment has those of the list. */
function ratesOf(own: PriceOverrides = {}, listed: () => ListedModel | undefined, prompt: number): Rates | undefined {
  let looked: { readonly up: ListedModel | undefined } | undefined;
  const at = (name: string) => {
    looked ??= { up: listed() };
    return looked.up && rateAt(looked.up.prices, name, prompt);
  };
  const input = own.inputUsdPerMillion ?? at("input_mtok");
  const output = own.outputUsdPerMillion ?? at("output_mtok");
  if (input === undefined && output === undefined) return undefined;
  return bucketRates(own, at, { input: input ?? 0, output: output ?? 0 });
}

type Whole = { readonly input: number; readonly output: number };

/** A price of one's own for the whole is not mixed with the list's for a part of it. */
function bucketRates(own: PriceOverrides, at: (name: string) => number | undefined, { input, output }: Whole): Rates {
  const ofInput = (name: string) => (own.inputUsdPerMillion === undefined ? at(name) : undefined) ?? input;
  const ofOutput = (name: string) => (own.outputUsdPerMillion === undefined ? at(name) : undefined) ?? output;
  const hour = own.cacheWriteUsdPerMillion ?? ofInput("cache_write_1h_mtok");
  return {
    inputTokens: input,
    outputTokens: output,
    cacheReadTokens: own.cacheReadUsdPerMillion ?? ofInput("cache_read_mtok"),
    cacheWriteTokens: own.cacheWriteUsdPerMillion ?? ofInput("cache_write_mtok"),
    cacheWriteHourTokens: own.cacheWriteHourUsdPerMillion ?? hour,
    inputAudioTokens: own.inputAudioUsdPerMillion ?? ofInput("input_audio_mtok"),
    outputAudioTokens: own.outputAudioUsdPerMillion ?? ofOutput("output_audio_mtok"),
    reasoningTokens: own.reasoningUsdPerMillion ?? output,
  };
}

/** Tiers count for the whole call once the prompt is longer than where they start. */
function rateAt(prices: ModelPrice, name: string, prompt: number): number | undefined {
  const price = prices[name];
  if (price === undefined || typeof price === "number") return price;
  return price.tiers.reduce((rate, tier) => (prompt > tier.start ? tier.price : rate), price.base);
}
