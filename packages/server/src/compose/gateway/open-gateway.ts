import { adminKeys } from "@handrail/gateway/admin/admin-keys";
import { adminOwners } from "@handrail/gateway/admin/admin-owners";
import { adminSpend } from "@handrail/gateway/admin/admin-spend";
import { catalogOf } from "@handrail/gateway/catalog/catalog";
import { createGateway, type Gateway } from "@handrail/gateway/gateway";
import type { Deployment } from "@handrail/gateway/ports/deployment";
import type { PriceList } from "@handrail/gateway/ports/price-list";
import { priceList } from "@handrail/gateway/prices/price-list";
import type { Stores } from "@handrail/gateway/program/gateway-over";
import { logCalls } from "@handrail/gateway/program/log-calls";
import { withMasterKey } from "@handrail/gateway/program/master-key";
import { observers } from "@handrail/gateway/program/observers";
import { openStores, type StoreSettings } from "@handrail/gateway/program/open-stores";
import { NO_PLACES, type Places as Configured } from "@handrail/gateway/program/places";
import type { Logger } from "pino";
import type { StoredDeployments } from "../../gateway/stored-deployments.ts";
import type { Mask } from "../../settings/mask.ts";
import type { ModelSettings } from "../../settings/model-settings.ts";
import type { Secrets } from "../../settings/secrets.ts";
import { type DemoModel, testSetting } from "../models.ts";
import { adminModels } from "./admin-models.ts";
import { conversationKeys } from "./conversation-keys.ts";
import { deploymentsFrom } from "./deployments.ts";
import type { GatewayHost } from "./lazy-gateway.ts";
import { paidModels } from "./paid-models.ts";
import { watchGateway } from "./watch-gateway.ts";

export type OpenGatewayParts = {
  readonly stores: StoreSettings;
  /** What the gateway's configuration file says. */
  readonly configured: Configured | undefined;
  readonly settings: ModelSettings;
  readonly stored: StoredDeployments;
  readonly demo: DemoModel;
  readonly secrets: Secrets;
  readonly mask: Mask;
  readonly log: Logger;
  /** Whether the first model comes from the configuration. */
  readonly fixed: boolean;
  readonly titleOf: (conversationId: string) => Promise<string | undefined>;
};

const GRACE_MS = 1000;

/** Opens the books and starts the gateway over them. @throws AppError what `openStores` throws */
export async function openGateway(parts: OpenGatewayParts, url: string): Promise<GatewayHost> {
  const { stored, configured = NO_PLACES, fixed, secrets, mask, titleOf } = parts;
  const stores = await openStores(parts.stores, configured, parts.log);
  const { masterKey } = configured.general;
  const books = masterKey === undefined ? stores.books : withMasterKey(stores.books, masterKey);
  const places = currentPlaces(parts, configured);
  await places.refresh();
  const prices = priceList();
  const { gateway, watch } = gatewayOver({ ...stores, books }, { places, configured, prices, log: parts.log });
  const keys = conversationKeys({ keys: books.keys, secret: secrets.deriveKey("gateway keys") });
  const paid = paidModels({ books, keys, url, mask });
  const testThrough = async (place: Deployment, signal: AbortSignal) => {
    const spender = { conversationId: "model-test", ownerId: "local", teamId: null, maxCostUsd: undefined };
    const { key } = await keys.keyOf(spender);
    return testSetting({ dialect: "openai", model: place.name, baseUrl: `${url}/v1`, apiKey: key }, signal);
  };
  return {
    admin: {
      models: adminModels({
        stored,
        places: () => places.refresh(),
        health: (id) => gateway.health(id),
        prices,
        configuration: { fixed, configured: configured.deployments },
        test: testSetting,
        testThrough,
      }),
      keys: adminKeys({ books, now: Date.now }),
      owners: adminOwners(books),
      spend: adminSpend({ books, titleOf }),
    },
    paid: {
      async open(wanted) {
        await places.refresh();
        return paid.open(wanted);
      },
    },
    async handle(request, response) {
      // What was set a moment ago counts.
      await places.refresh().catch((thrown: unknown) => parts.log.warn({ err: thrown }, "the models cannot be read"));
      if (!gateway.handle(request, response)) response.writeHead(404).end();
    },
    metrics: () => watch.text(),
    async close() {
      await gateway.close(GRACE_MS);
      await stores.close();
    },
  };
}

type Places = ReturnType<typeof currentPlaces>;

type Serving = {
  readonly places: Places;
  readonly configured: Configured;
  readonly prices: PriceList;
  readonly log: Logger;
};

function gatewayOver(stores: Stores, { places, configured, prices, log }: Serving) {
  const { books, cache, guard, traces, limits } = stores;
  const catalog = catalogOf(places.now, () => configured.rules);
  const watch = watchGateway(catalog, { books, ...(limits && { limits }) }, (): Gateway => gateway);
  const observer = observers(logCalls(log), watch.observer);
  const gateway = createGateway({
    catalog,
    books,
    prices,
    routing: () => configured.routing,
    probes: false,
    cache,
    observer,
    ...guard.parts,
    ...traces.parts,
  });
  return { gateway, watch };
}

/** What can be asked for now. */
function currentPlaces({ settings, stored, demo }: OpenGatewayParts, configured: Configured) {
  let list: readonly Deployment[] = [];
  let known = "";
  return {
    now: () => list,
    /** The same list while nothing has changed: the catalog is made anew only for another. */
    async refresh(): Promise<readonly Deployment[]> {
      const [setting, all] = await Promise.all([settings.current(), stored.all()]);
      const next = deploymentsFrom({ stored: all, configured: configured.deployments, setting, demo: demo.started() });
      const text = JSON.stringify(next);
      if (text !== known) {
        known = text;
        list = next;
      }
      return list;
    },
  };
}
