import { AppError } from "@handrail/protocol/errors";
import type { ModelProvider } from "@handrail/protocol/gateway";
import { type CatalogRules, NO_RULES } from "../catalog/catalog.ts";
import type { GatewayConfig } from "../config.ts";
import { defined } from "../litellm/defined.ts";
import type { CacheSettings } from "../litellm/cache-settings.ts";
import type { GeneralSettings } from "../litellm/general-settings.ts";
import { DEFAULT_ROUTING, type Deployment, type RoutingSettings } from "../ports/deployment.ts";
import type { ModelOptions } from "./options.ts";

/** What the gateway serves, and how. */
export type Places = {
  readonly deployments: readonly Deployment[];
  readonly rules: CatalogRules;
  readonly routing: RoutingSettings;
  readonly cache: CacheSettings;
  readonly general: GeneralSettings;
  readonly warnings: readonly string[];
};

/**
 * The models of the configuration file, or the one of the options. Only a file loads the parser of files.
 * @throws AppError `config_invalid`, also where there is no model
 */
export async function readPlaces({ file, model, environment }: GatewayConfig): Promise<Places> {
  if (file !== undefined) {
    const config = await placesIn(file, environment);
    const warnings = model === undefined ? config.warnings : [...config.warnings, BOTH];
    if (config.deployments.length > 0) return { ...config, warnings };
    throw new AppError("config_invalid", `The file ${file} names no model. Add one to its model_list.`);
  }
  if (model === undefined) throw new AppError("config_invalid", NONE);
  return { ...NO_PLACES, deployments: [placeOf(model)], rules: { ...NO_RULES, aliases: { default: model.model } } };
}

/** What a `config.yaml` of LiteLLM says. @throws AppError `config_invalid` */
export async function placesIn(file: string, environment: GatewayConfig["environment"]): Promise<Places> {
  const { loadLiteLlmConfig } = await import("../litellm/load-litellm-config.ts");
  return loadLiteLlmConfig(file, environment);
}

/** Where there is no file. */
export const NO_PLACES: Places = {
  deployments: [],
  rules: NO_RULES,
  routing: DEFAULT_ROUTING,
  cache: { enabled: false },
  general: {},
  warnings: [],
};

const NONE = "No model is set. Set LLM_MODEL, with LLM_BASE_URL and LLM_API_KEY, or give --config FILE.";
const BOTH = "LLM_MODEL is set and so is --config: the models are those of the file.";

/** It is asked for by its own name, and as `default`. */
function placeOf({ model, dialect, baseUrl, apiKey, ...rest }: ModelOptions): Deployment {
  const { contextTokens, maxOutputTokens, inputUsdPerMillion, outputUsdPerMillion } = rest;
  const prices = defined({ inputUsdPerMillion, outputUsdPerMillion });
  const provider = dialect === "openai" && baseUrl !== undefined ? "openai_compatible" : dialect;
  return {
    id: "default",
    name: model,
    model,
    provider: provider as ModelProvider,
    ...defined({ baseUrl, apiKey, contextTokens, maxOutputTokens }),
    ...(Object.keys(prices).length > 0 && { prices }),
  };
}
