import type { Usage } from "@handrail/protocol/limits";
import type { ModelSetting } from "@handrail/protocol/settings";
import { calcPrice, type PriceCalculation } from "@pydantic/genai-prices";

/** What calls of one model cost, in US dollars; undefined when no price is known. */
export type Prices = {
  /** Of a call with nothing cached. */
  price(usage: { readonly inputTokens: number; readonly outputTokens: number }): number | undefined;
  cost(usage: Usage): number | undefined;
};

type Priced = Pick<ModelSetting, "dialect" | "model" | "baseUrl" | "inputUsdPerMillion" | "outputUsdPerMillion">;
type Known = Pick<Usage, "inputTokens" | "outputTokens"> & Partial<Usage>;

/**
 * The setting's own prices, else those of the price list that comes with Handrail. The setting knows no cache prices:
 * with it, cached tokens cost as much as others.
 */
export function pricesOf(setting: Priced): Prices {
  const cost = setPrice(setting) ?? ((usage: Known) => listed(setting, usage)?.total_price);
  return { price: cost, cost };
}

/** Input and output together, in tokens; undefined when the price list does not know the model. */
export function listedContextTokens(setting: Priced): number | undefined {
  return listed(setting, { inputTokens: 1, outputTokens: 1 })?.model.context_window;
}

function setPrice(setting: Priced): ((usage: Known) => number) | undefined {
  const { inputUsdPerMillion, outputUsdPerMillion } = setting;
  if (inputUsdPerMillion === undefined && outputUsdPerMillion === undefined) return undefined;
  return ({ inputTokens, outputTokens }) =>
    (inputTokens * (inputUsdPerMillion ?? 0) + outputTokens * (outputUsdPerMillion ?? 0)) / 1e6;
}

const PROVIDERS = { openai: undefined, anthropic: "anthropic", google: "google", bedrock: "aws" } as const;

/** Looks the model up where the base URL points, then under the dialect's own provider, then by its name alone. */
function listed(setting: Priced, usage: Known): PriceCalculation | undefined {
  const provider = PROVIDERS[setting.dialect];
  const { prefix, name } = nameParts(setting.model);
  const tries = [
    setting.baseUrl === undefined ? undefined : { model: setting.model, options: { providerApiUrl: setting.baseUrl } },
    provider === undefined ? undefined : { model: setting.model, options: { providerId: provider } },
    prefix === undefined ? undefined : { model: name, options: { providerId: prefix === "bedrock" ? "aws" : prefix } },
    { model: name, options: {} },
  ];
  for (const attempt of tries) {
    const found = attempt && calculated(usage, attempt.model, attempt.options);
    if (found) return found;
  }
  return undefined;
}

/** Gateways name models as "provider/model". */
function nameParts(model: string): { readonly prefix: string | undefined; readonly name: string } {
  const slash = model.lastIndexOf("/");
  return slash < 0
    ? { prefix: undefined, name: model }
    : { prefix: model.slice(0, model.indexOf("/")), name: model.slice(slash + 1) };
}

/** The list wants all input tokens, cached ones included, and throws when the parts are more than the whole. */
function calculated(usage: Known, model: string, options: object): PriceCalculation | undefined {
  const cached = (usage.cacheReadTokens ?? 0) + (usage.cacheWriteTokens ?? 0);
  const tokens = {
    input_tokens: Math.max(usage.inputTokens, cached),
    cache_read_tokens: usage.cacheReadTokens ?? 0,
    cache_write_tokens: usage.cacheWriteTokens ?? 0,
    output_tokens: usage.outputTokens,
  };
  try {
    return calcPrice(tokens, model, options) ?? undefined;
  } catch {
    return undefined;
  }
}
