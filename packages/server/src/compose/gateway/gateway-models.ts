import type { Model } from "@handrail/core/ports/model";
import { AppError } from "@handrail/protocol/errors";
import type { ModelProvider } from "@handrail/protocol/gateway";
import type { ModelInfo, ModelSetting } from "@handrail/protocol/settings";
import type { Models, Spender } from "../../conversations/ports.ts";
import type { Deployment } from "@handrail/gateway/ports/deployment";
import type { SetDeployment } from "../../gateway/stored-deployments.ts";
import { DEFAULT_MODEL, DEMO_MODEL, type ModelSettings, unset } from "../../settings/model-settings.ts";

/** How a conversation's calls go through the gateway and onto its books. */
export type PaidModels = {
  /** `setting` is the model's own; `name` what the gateway calls it. @throws AppError `books_unavailable` */
  open(wanted: {
    readonly id: string;
    readonly name: string;
    readonly setting: ModelSetting;
    readonly spender: Spender;
  }): Promise<Model>;
};

type NamedPlace = SetDeployment | Deployment;

export type GatewayModelsParts = {
  readonly settings: ModelSettings;
  /** Places that have names of their own, in the order in which they are shown. */
  readonly named: () => Promise<readonly NamedPlace[]>;
  readonly createModel: (id: string, setting: ModelSetting) => Promise<Model>;
  /** Where the demo's script answers, started if need be. */
  readonly demoSetting: () => Promise<ModelSetting>;
  readonly paid: PaidModels;
};

/** The models of the settings, and those of the gateway by their names. What a conversation asks, it pays for. */
export function gatewayModels(parts: GatewayModelsParts): Models {
  const { settings } = parts;
  const named = async (name: string) => (await parts.named()).find((one) => matches(one.name, name));
  return {
    async list() {
      const own = await settings.list();
      const names = (await parts.named()).filter(({ name }) => !name.endsWith("*"));
      const once = names.filter((one, index) => names.findIndex(({ name }) => name === one.name) === index);
      const places = await Promise.all(once.map((place) => infoOf(parts, place)));
      return [...own.filter(({ scripted }) => !scripted), ...places, ...own.filter(({ scripted }) => scripted)];
    },
    defaultId: async () => (await settings.defaultId()) ?? (await firstName(parts)),
    async require(id) {
      if ((await named(id)) === undefined) await requireOwn(parts, id);
    },
    async open(id, spender) {
      const place = isReserved(id) ? undefined : await named(id);
      const setting = place === undefined ? await ownSetting(parts, id) : settingOf(place, id);
      if (spender !== undefined) return parts.paid.open({ id, name: id, setting, spender });
      return parts.createModel(id, setting);
    },
  };
}

const isReserved = (id: string) => id === DEFAULT_MODEL || id === DEMO_MODEL;

/** A name that no place has is another model at the setting's API, where there is one. */
async function requireOwn({ settings, named }: GatewayModelsParts, id: string): Promise<void> {
  const others = isReserved(id) || (await settings.current()) !== undefined ? [] : await named();
  if (others.length === 0) return settings.require(id);
  const names = others.slice(0, 10).map(({ name }) => name);
  throw new AppError("model_not_found", `There is no model ${id}. There are ${names.join(", ")}.`);
}

/** Whether a place's name, perhaps with `*` at its end, is what is asked for. */
function matches(name: string, wanted: string): boolean {
  return name.endsWith("*") ? wanted.startsWith(name.slice(0, -1)) : name === wanted;
}

async function firstName({ named }: Pick<GatewayModelsParts, "named">): Promise<string | null> {
  return (await named()).find(({ name }) => !name.endsWith("*"))?.name ?? null;
}

async function ownSetting({ settings, demoSetting }: GatewayModelsParts, id: string): Promise<ModelSetting> {
  if (id === DEMO_MODEL) return demoSetting();
  const setting = await settings.settingFor(id);
  if (setting === undefined) throw unset();
  return setting;
}

/**
 * What the agent knows of a place's model: its format, sizes and prices. A model of a provider whose format is neither is
 * asked for in OpenAI's, which the gateway translates.
 */
function settingOf(place: NamedPlace, id: string): ModelSetting {
  const { provider, model, baseUrl, contextTokens, maxOutputTokens, prices } = place;
  return {
    dialect: DIALECTS[provider] ?? "openai",
    model: place.name.endsWith("*") ? model.replace("*", id.slice(place.name.length - 1)) : model,
    ...(baseUrl !== undefined && { baseUrl }),
    ...(contextTokens !== undefined && { contextTokens }),
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(prices?.inputUsdPerMillion !== undefined && { inputUsdPerMillion: prices.inputUsdPerMillion }),
    ...(prices?.outputUsdPerMillion !== undefined && { outputUsdPerMillion: prices.outputUsdPerMillion }),
  };
}

const DIALECTS: Partial<Record<ModelProvider, ModelSetting["dialect"]>> = { anthropic: "anthropic" };

async function infoOf({ createModel }: GatewayModelsParts, place: NamedPlace): Promise<ModelInfo> {
  const setting = settingOf(place, place.name);
  const model = await createModel(place.name, setting);
  return {
    id: place.name,
    label: place.name,
    dialect: setting.dialect,
    ...(place.baseUrl !== undefined && { baseUrl: place.baseUrl }),
    hasKey: place.apiKey !== undefined,
    scripted: false,
    contextTokens: model.contextTokens,
    priced: model.price({ inputTokens: 1, outputTokens: 1 }) !== undefined,
    fixed: false,
  };
}
