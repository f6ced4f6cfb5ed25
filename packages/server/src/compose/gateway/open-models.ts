import { join } from "node:path";
import type { StoreSettings } from "@handrail/gateway/program/open-stores";
import type { WeakKey } from "@handrail/gateway/program/check-master-key";
import type { Places } from "@handrail/gateway/program/places";
import { traceSettings } from "@handrail/gateway/trace/trace-settings";
import { newId } from "@handrail/protocol/ids";
import type { Logger } from "pino";
import type { Config } from "../../config.ts";
import type { ObservedStore } from "../../conversations/observed-store.ts";
import type { Models } from "../../conversations/ports.ts";
import { DeploymentsFile, storedDeployments } from "../../gateway/stored-deployments.ts";
import { jsonFile } from "../../settings/json-file.ts";
import type { Mask } from "../../settings/mask.ts";
import type { ModelSettings } from "../../settings/model-settings.ts";
import type { Secrets } from "../../settings/secrets.ts";
import { type DemoModel, loadModel } from "../models.ts";
import { gatewayModels } from "./gateway-models.ts";
import { type LazyGateway, lazyGateway } from "./lazy-gateway.ts";

export type OpenModelsParts = {
  readonly config: Pick<Config, "home" | "host" | "publicUrl" | "model" | "gateway" | "environment">;
  readonly settings: ModelSettings;
  readonly demo: DemoModel;
  readonly secrets: Secrets;
  readonly mask: Mask;
  /** Of local programs. */
  readonly localToken: string;
  readonly log: Logger;
  readonly store: Pick<ObservedStore, "summary">;
};

/**
 * The models that conversations may name, and the gateway that their calls go by, which is opened at the first of them.
 * @throws AppError `config_invalid` for a configuration file of the gateway that cannot be read, or whose master key can be guessed
 * by others than this machine
 */
export async function openModels(parts: OpenModelsParts): Promise<OpenedModels> {
  const { config, settings, demo, secrets, mask, store } = parts;
  const { home } = config;
  const configured = await configuredBy(config, parts);
  const weakMasterKey = await weakKeyOf(config, configured);
  if (weakMasterKey) parts.log.warn(`${weakMasterKey.detail} ${weakMasterKey.remedy}`);
  const stores = storesOf(config);
  const file = jsonFile(join(home, "models.json"), DeploymentsFile);
  const stored = storedDeployments({ file, secrets, mask, newId: () => newId("d", Date.now()) });
  const titleOf = (id: string) =>
    store.summary(id).then(
      ({ title }) => title,
      () => undefined,
    );
  const gateway = lazyGateway(async (url) => {
    const { openGateway } = await import("./open-gateway.ts");
    const fixed = config.model !== undefined;
    return openGateway({ ...parts, stored, configured, stores, fixed, titleOf }, url);
  });
  const shared = stores.databaseUrl ?? configured?.general.databaseUrl;
  // What is too old to be kept goes also while nobody calls, and books that are elsewhere are waited for before anybody does.
  if (config.gateway.bodies || shared !== undefined) {
    gateway.open().catch((thrown: unknown) => parts.log.warn({ err: thrown }, "the gateway cannot be opened"));
  }
  const models = gatewayModels({
    settings,
    named: async () => [...(await stored.all()), ...(configured?.deployments ?? [])],
    createModel: loadModel,
    demoSetting: demo.setting,
    paid: { open: async (wanted) => (await gateway.open()).paid.open(wanted) },
  });
  return { gateway, models, weakMasterKey };
}

type OpenedModels = {
  readonly gateway: LazyGateway;
  readonly models: Models;
  /** What to say of a master key in the gateway's file that can be guessed. */
  readonly weakMasterKey: WeakKey | undefined;
};

/** Read at the start, so that what is wrong with it is told then. */
async function configuredBy(
  { gateway, environment }: OpenModelsParts["config"],
  { mask, log }: OpenModelsParts,
): Promise<Places | undefined> {
  if (gateway.file === undefined && gateway.limits !== "redis") return undefined;
  const { NO_PLACES, placesIn } = await import("@handrail/gateway/program/places");
  const places = gateway.file === undefined ? NO_PLACES : await placesIn(gateway.file, environment);
  const { storeAddresses } = await import("@handrail/gateway/program/open-stores");
  storeAddresses(gateway, places);
  for (const warning of places.warnings) log.warn(warning);
  for (const { apiKey } of places.deployments) mask.add(apiKey);
  mask.add(places.general.masterKey);
  return places;
}

/** A server behind a proxy listens on loopback, and its public URL says that others reach it. */
async function weakKeyOf(
  { host, publicUrl, gateway }: OpenModelsParts["config"],
  configured: Places | undefined,
): Promise<WeakKey | undefined> {
  const key = configured?.general.masterKey;
  if (key === undefined) return undefined;
  const { checkMasterKey } = await import("@handrail/gateway/program/check-master-key");
  const { isLoopback } = await import("@handrail/gateway/program/loopback");
  const hosts = publicUrl === undefined ? [host] : [host, new URL(publicUrl).hostname];
  return checkMasterKey({ key, exposed: !hosts.every(isLoopback), weakAllowed: gateway.weakMasterKey });
}

function storesOf({ home, gateway, environment }: OpenModelsParts["config"]): StoreSettings {
  const { databaseUrl, redisUrl, limits } = gateway;
  return { home, databaseUrl, redisUrl, limits, guard: gateway, traces: traceSettings(environment) };
}
