import { join } from "node:path";
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
  readonly config: Pick<Config, "home" | "model" | "gateway" | "environment">;
  readonly settings: ModelSettings;
  readonly demo: DemoModel;
  readonly secrets: Secrets;
  readonly mask: Mask;
  readonly log: Logger;
  readonly store: Pick<ObservedStore, "summary">;
};

/** The models that conversations may name, and the gateway that their calls go by, which is opened at the first of them. */
export function openModels(parts: OpenModelsParts): { readonly gateway: LazyGateway; readonly models: Models } {
  const { config, settings, demo, secrets, mask, store } = parts;
  const { home } = config;
  const traces = traceSettings(config.environment);
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
    return openGateway({ ...parts, home, stored, fixed, titleOf, guard: config.gateway, traces }, url);
  });
  // What is too old to be kept goes also while nobody calls.
  if (config.gateway.bodies) {
    gateway.open().catch((thrown: unknown) => parts.log.warn({ err: thrown }, "the gateway cannot be opened"));
  }
  const models = gatewayModels({
    settings,
    stored,
    createModel: loadModel,
    demoSetting: demo.setting,
    paid: { open: async (wanted) => (await gateway.open()).paid.open(wanted) },
  });
  return { gateway, models };
}
