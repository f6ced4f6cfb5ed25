import type { Deployment } from "@handrail/gateway/ports/deployment";
import type { DeploymentInfo, ModelProvider } from "@handrail/protocol/gateway";
import type { ModelSetting } from "@handrail/protocol/settings";
import type { SetDeployment } from "../../gateway/stored-deployments.ts";
import { DEFAULT_MODEL, DEMO_MODEL } from "../../settings/model-settings.ts";

/**
 * Where places come from: the page, the gateway's configuration file, the setting of the first model, and the demo once it has been
 * started.
 */
export type PlaceSources = {
  readonly stored: readonly SetDeployment[];
  readonly configured: readonly Deployment[];
  readonly setting: ModelSetting | undefined;
  readonly demo: ModelSetting | undefined;
};

/** Whether the setting of the first model comes from the configuration, and the places of the gateway's file. */
export type Configuration = { readonly fixed: boolean; readonly configured: readonly Deployment[] };

/** Who defined a place. */
export function sourceOf(id: string, { fixed, configured }: Configuration): DeploymentInfo["source"] {
  if (id === DEMO_MODEL) return "demo";
  if (id === DEFAULT_MODEL) return fixed ? "configuration" : "setting";
  return configured.some((place) => place.id === id) ? "configuration" : "page";
}

/**
 * Every place of the gateway. The setting's is asked for as `default`; other names that nothing else has are further models at
 * the same API, as conversations may name them.
 */
export function deploymentsFrom({ stored, configured, setting, demo }: PlaceSources): readonly Deployment[] {
  const named = [...stored.map(storedPlace), ...configured];
  const own = setting === undefined ? [] : [settingPlace(setting, DEFAULT_MODEL)];
  const rest = setting === undefined || named.some(({ name }) => name === "*") ? [] : [furtherModels(setting)];
  const played = demo === undefined ? [] : [settingPlace(demo, DEMO_MODEL)];
  return [...named, ...own, ...played, ...rest];
}

/** The name of the place that stands for further models at the setting's API. */
export const FURTHER = "further";

/** What they cost is looked up for each. */
function furtherModels(setting: ModelSetting): Deployment {
  const { prices: _, contextTokens: __, maxOutputTokens: ___, ...place } = settingPlace(setting, FURTHER);
  return { ...place, name: "*", model: "*" };
}

function storedPlace({ prices, ...stored }: SetDeployment): Deployment {
  return { ...defined(stored), ...(prices && { prices: defined(prices) }) };
}

const PROVIDERS: Readonly<Record<ModelSetting["dialect"], (baseUrl: string | undefined) => ModelProvider>> = {
  openai: (baseUrl) => (baseUrl === undefined ? "openai" : "openai_compatible"),
  anthropic: () => "anthropic",
  google: () => "google",
  bedrock: () => "bedrock",
};

function settingPlace(setting: ModelSetting, name: string): Deployment {
  const { dialect, baseUrl, apiKey, model, contextTokens, maxOutputTokens } = setting;
  const { inputUsdPerMillion, outputUsdPerMillion } = setting;
  const prices = defined({ inputUsdPerMillion, outputUsdPerMillion });
  const priced = Object.keys(prices).length > 0 ? { prices } : {};
  const provider = PROVIDERS[dialect](baseUrl);
  return {
    id: name,
    name,
    provider,
    model,
    ...defined({ baseUrl, apiKey, contextTokens, maxOutputTokens }),
    ...priced,
  };
}

type Defined<T> = { [Key in keyof T]: Exclude<T[Key], undefined> };

/** The same without what is undefined. */
function defined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Defined<T>;
}
