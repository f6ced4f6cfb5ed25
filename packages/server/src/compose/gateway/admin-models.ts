import type { Deployment } from "@handrail/gateway/ports/deployment";
import type { PriceList } from "@handrail/gateway/ports/price-list";
import { NO_TOKENS } from "@handrail/gateway/ports/token-usage";
import {
  type DeploymentHealth,
  type DeploymentInfo,
  DeploymentInput,
  PriceOverrides,
} from "@handrail/protocol/gateway";
import { AppError } from "@handrail/protocol/errors";
import type { ModelSetting, ModelTest } from "@handrail/protocol/settings";
import type { z } from "zod";
import type { GatewayAdmin } from "../../gateway/gateway-admin.ts";
import type { StoredDeployments } from "../../gateway/stored-deployments.ts";
import { type Configuration, FURTHER, sourceOf } from "./deployments.ts";

type Parts = {
  readonly stored: StoredDeployments;
  /** Every place, as it stands now. */
  readonly places: () => Promise<readonly Deployment[]>;
  readonly health: (id: string) => DeploymentHealth;
  readonly prices: PriceList;
  readonly configuration: Configuration;
  /** Makes one real call. */
  readonly test: (setting: ModelSetting, signal: AbortSignal) => Promise<z.infer<typeof ModelTest>>;
  /** One real call by way of the gateway, for providers whose format is another. */
  readonly testThrough: (place: Deployment, signal: AbortSignal) => Promise<z.infer<typeof ModelTest>>;
};

/** Places where models can be had, as the page sees and changes them. */
export function adminModels(parts: Parts): GatewayAdmin["models"] {
  const { stored, places } = parts;
  const found = async (id: string) => {
    const place = (await places()).find((one) => one.id === id);
    if (place !== undefined && id !== FURTHER) return place;
    throw new AppError("not_found", "There is no such model.");
  };
  const shown = async (id: string) => infoOf(parts, await found(id));
  const changeable = async (id: string) => {
    await found(id);
    if (sourceOf(id, parts.configuration) === "page") return;
    throw new AppError("forbidden", "This model is set elsewhere: under General, or by the server's configuration.");
  };
  return {
    async list() {
      return (await places()).filter(({ id }) => id !== FURTHER).map((place) => infoOf(parts, place));
    },
    async add(input) {
      return shown((await stored.add(input)).id);
    },
    async change(id, input) {
      await changeable(id);
      return shown((await stored.change(id, input)).id);
    },
    async remove(id) {
      await changeable(id);
      await stored.remove(id);
    },
    async test(id, signal) {
      const place = await found(id);
      const dialect = DIALECTS[place.provider];
      return dialect === undefined ? parts.testThrough(place, signal) : parts.test(settingOf(place, dialect), signal);
    },
  };
}

/** Providers that one of our own dialects speaks to at the address given. */
const DIALECTS: Partial<Record<Deployment["provider"], ModelSetting["dialect"]>> = {
  anthropic: "anthropic",
  openai: "openai",
  openai_compatible: "openai",
  litellm: "openai",
};

function settingOf({ model, baseUrl, apiKey }: Deployment, dialect: ModelSetting["dialect"]): ModelSetting {
  const address = baseUrl === undefined ? {} : { baseUrl: dialect === "openai" ? versioned(baseUrl) : baseUrl };
  return { dialect, model, ...address, ...(apiKey !== undefined && { apiKey }) };
}

/** As the gateway reads a base URL that has no path. */
const versioned = (baseUrl: string) => baseUrl.replace(/^(https?:\/\/[^/?#]+)\/*$/, "$1/v1");

function infoOf({ health, prices, configuration }: Parts, place: Deployment): DeploymentInfo {
  const one = { ...NO_TOKENS, inputTokens: 1, outputTokens: 1 };
  return {
    ...shownOf(place),
    hasKey: place.apiKey !== undefined,
    source: sourceOf(place.id, configuration),
    priced: prices.cost(place, one) !== undefined,
    health: health(place.id),
  };
}

/** What the page can set; a configuration file can say more. */
function shownOf(place: Deployment): Pick<DeploymentInfo, "id" | "name" | "provider" | "model"> {
  const { apiKey: _, prices, ...shown } = picked(place, Object.keys(DeploymentInput.shape));
  const known = prices === undefined ? {} : { prices: picked(prices, Object.keys(PriceOverrides.shape)) };
  return { ...shown, id: place.id, name: place.name, provider: place.provider, model: place.model, ...known };
}

const picked = <Value extends object>(value: Value, names: readonly string[]) =>
  Object.fromEntries(Object.entries(value).filter(([name]) => names.includes(name))) as Partial<Value>;
