import type { Model } from "@handrail/core/ports/model";
import type { ModelSetting } from "@handrail/protocol/settings";
import { type HttpOptions, httpModel, type ModelFacts } from "./http-model.ts";
import { openAiChat } from "./openai-chat.ts";
import { listedContextTokens, pricesOf } from "./prices.ts";

export type NamedSetting = ModelSetting & {
  /** What conversations name the model by. */
  readonly id: string;
};

export type CreateModelOptions = Omit<HttpOptions, "secrets"> & {
  /** True for the scripted model. When not given: whether the id is `demo`. */
  readonly scripted?: boolean;
};

const DEFAULT_CONTEXT_TOKENS = 128_000;
const DEFAULT_OUTPUT_TOKENS = 8_192;
const OPENAI_URL = "https://api.openai.com/v1";

/**
 * The model of a setting. Nothing is asked of its API yet; an SDK is loaded at the first call.
 * @throws AppError `config_invalid` for a base URL that cannot be used
 */
export function createModel(setting: NamedSetting, options: CreateModelOptions = {}): Model {
  const { scripted, ...http } = options;
  const facts = factsOf(setting, scripted ?? setting.id === "demo");
  const api = { model: setting.model, apiKey: setting.apiKey };
  const secrets = setting.apiKey === undefined ? [] : [setting.apiKey];
  return httpModel(openAiChat({ ...api, baseUrl: setting.baseUrl ?? OPENAI_URL }), facts, { ...http, secrets });
}

function factsOf(setting: NamedSetting, scripted: boolean): ModelFacts {
  return {
    id: setting.id,
    contextTokens: setting.contextTokens ?? listedContextTokens(setting) ?? DEFAULT_CONTEXT_TOKENS,
    maxOutputTokens: setting.maxOutputTokens ?? DEFAULT_OUTPUT_TOKENS,
    images: true,
    scripted,
    prices: pricesOf(setting),
  };
}
