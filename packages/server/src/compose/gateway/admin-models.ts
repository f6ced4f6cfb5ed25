import type { Deployment } from "@handrail/gateway/ports/deployment";
import type { PriceList } from "@handrail/gateway/ports/price-list";
import { NO_TOKENS } from "@handrail/gateway/ports/token-usage";
import type { DeploymentHealth, DeploymentInfo } from "@handrail/protocol/gateway";
import { AppError } from "@handrail/protocol/errors";
import type { ModelSetting, ModelTest } from "@handrail/protocol/settings";
import type { z } from "zod";
import type { GatewayAdmin } from "../../gateway/gateway-admin.ts";
import type { StoredDeployments } from "../../gateway/stored-deployments.ts";
import { FURTHER, sourceOf } from "./deployments.ts";

type Parts = {
  readonly stored: StoredDeployments;
  /** Every place, as it stands now. */
  readonly places: () => Promise<readonly Deployment[]>;
  readonly health: (id: string) => DeploymentHealth;
  readonly prices: PriceList;
  /** Whether the setting comes from the configuration. */
  readonly fixed: boolean;
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
    if (sourceOf(id, parts.fixed) === "page") return;
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
  return { dialect, model, ...(baseUrl !== undefined && { baseUrl }), ...(apiKey !== undefined && { apiKey }) };
}

function infoOf({ health, prices, fixed }: Parts, place: Deployment): DeploymentInfo {
  const { apiKey, headers: _, formats: __, ...shown } = place;
  const one = { ...NO_TOKENS, inputTokens: 1, outputTokens: 1 };
  return {
    ...shown,
    hasKey: apiKey !== undefined,
    source: sourceOf(place.id, fixed),
    priced: prices.cost(place, one) !== undefined,
    health: health(place.id),
  };
}
