import { createRequire } from "node:module";
import type { ModelPrice } from "@pydantic/genai-prices";
import type { Deployment, Provider } from "../ports/deployment.ts";

/** Listed prices of a model, in US dollars for a million tokens, and what its window holds. */
export type ListedModel = {
  readonly prices: ModelPrice;
  /** Input and output together, in tokens. */
  readonly contextTokens: number | undefined;
};

/** The price list's names for providers; undefined where models are known by their own names alone. */
const LISTED: Readonly<Record<Provider, string | undefined>> = {
  openai: "openai",
  azure: "azure",
  anthropic: "anthropic",
  google: "google",
  vertex: "google",
  bedrock: "aws",
  mistral: "mistral",
  groq: "groq",
  openrouter: "openrouter",
  deepseek: "deepseek",
  ollama: undefined,
  vllm: undefined,
  litellm: undefined,
  openai_compatible: undefined,
};

const NOTHING = { input_tokens: 1, output_tokens: 1 };
/** A model in the list may have other prices at other hours. */
const KEPT_MS = 60_000;
const KEPT = 2000;

type Prices = typeof import("@pydantic/genai-prices");

/** The list is large, so it is loaded when the first price is asked for, and not at all where every model has its own. */
const listedPrices = () => (loaded ??= createRequire(import.meta.url)("@pydantic/genai-prices") as Prices);
let loaded: Prices | undefined;

/** Looks models up in the price list that comes with Handrail, and remembers what it found for a minute. */
export function modelRates(now: () => number): (deployment: Deployment) => ListedModel | undefined {
  const known = new Map<string, { readonly model: ListedModel | undefined; readonly at: number }>();
  return (deployment) => {
    const { provider, baseUrl = "", priceModel, model } = deployment;
    const key = `${provider}\n${baseUrl}\n${priceModel ?? model}`;
    const found = known.get(key);
    if (found !== undefined && now() - found.at < KEPT_MS) return found.model;
    const looked = lookUp(deployment);
    if (known.size >= KEPT) known.clear();
    known.set(key, { model: looked, at: now() });
    return looked;
  };
}

/** Under the provider, then where the address points, then by the model's name alone; gateways name it "provider/model". */
function lookUp({ provider, baseUrl, priceModel, model }: Deployment): ListedModel | undefined {
  const name = priceModel ?? model;
  const slash = name.lastIndexOf("/");
  const listed = LISTED[provider];
  const tries = [
    listed === undefined ? undefined : { name, options: { providerId: listed } },
    baseUrl === undefined ? undefined : { name, options: { providerApiUrl: baseUrl } },
    slash < 0 ? undefined : { name: name.slice(slash + 1), options: { providerId: name.slice(0, name.indexOf("/")) } },
    { name: name.slice(slash + 1), options: {} },
  ];
  for (const attempt of tries) {
    const found = attempt && listedModel(attempt.name, attempt.options);
    if (found !== undefined) return found;
  }
  return undefined;
}

function listedModel(name: string, options: object): ListedModel | undefined {
  try {
    const found = listedPrices().calcPrice(NOTHING, name, options);
    return found === null ? undefined : { prices: found.model_price, contextTokens: found.model.context_window };
  } catch {
    return undefined;
  }
}
