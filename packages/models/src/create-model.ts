import type { Model } from "@handrail/core/ports/model";
import type { ModelSetting } from "@handrail/protocol/settings";
import { aiSdkModel } from "./ai-sdk-model.ts";
import { bedrockSource, googleSource } from "./ai-sdk-sources.ts";
import { anthropicMessages } from "./anthropic-messages.ts";
import { tokenLimits } from "./default-limits.ts";
import type { Dialect } from "./dialect.ts";
import { type HttpOptions, httpModel, type ModelFacts } from "./http-model.ts";
import { openAiChat } from "./openai-chat.ts";
import { pricesOf } from "./prices.ts";
import { throughGateway, type Via } from "./through-gateway.ts";

export type NamedSetting = ModelSetting & {
  /** What conversations name the model by. */
  readonly id: string;
};

export type CreateModelOptions = Omit<HttpOptions, "secrets"> & {
  /** True for the scripted model. When not given: whether the id is `demo`. */
  readonly scripted?: boolean;
  /** The gateway to go by, for dialects that it passes through: those of HTTP. */
  readonly via?: Via;
};

/** Where a dialect's own maker answers, for settings without a base URL. */
export const DEFAULT_BASE_URLS = {
  openai: "https://api.openai.com/v1",
  anthropic: "https://api.anthropic.com",
} as const;

/**
 * The model of a setting. Nothing is asked of its API yet; an SDK is loaded at the first call.
 * @throws AppError `config_invalid` for a base URL that cannot be used
 */
export function createModel(setting: NamedSetting, options: CreateModelOptions = {}): Model {
  const { scripted, via, ...rest } = options;
  const facts = factsOf(setting, scripted ?? setting.id === "demo");
  const http = { ...rest, secrets: [...secretsOf(setting), ...(via === undefined ? [] : [via.apiKey])] };
  switch (setting.dialect) {
    case "openai":
    case "anthropic": {
      const own = httpDialect(setting, setting.dialect);
      return httpModel(via === undefined ? own : throughGateway(own, setting.dialect, setting.model, via), facts, http);
    }
    case "google":
      return aiSdkModel(googleSource(setting, rest.fetch), facts, http);
    case "bedrock":
      return aiSdkModel(bedrockSource(setting, rest.fetch), facts, http);
  }
}

function httpDialect({ model, apiKey, baseUrl }: ModelSetting, dialect: "openai" | "anthropic"): Dialect {
  const api = { model, apiKey, baseUrl: baseUrl ?? DEFAULT_BASE_URLS[dialect] };
  return dialect === "openai" ? openAiChat(api) : anthropicMessages(api);
}

/** What no text may show of a setting: the key and its parts, as an AWS key is several secrets in one. */
export function secretsOf({ apiKey }: ModelSetting): readonly string[] {
  return apiKey === undefined ? [] : [apiKey, ...apiKey.split(":").filter((part) => part.length >= 8)];
}

function factsOf(setting: NamedSetting, scripted: boolean): ModelFacts {
  return { id: setting.id, ...tokenLimits(setting), images: true, scripted, prices: pricesOf(setting) };
}
