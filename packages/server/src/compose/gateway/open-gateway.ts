import { adminKeys } from "@handrail/gateway/admin/admin-keys";
import { adminOwners } from "@handrail/gateway/admin/admin-owners";
import { adminSpend } from "@handrail/gateway/admin/admin-spend";
import { catalogOf } from "@handrail/gateway/catalog/catalog";
import { sendNothingHere } from "@handrail/gateway/http/nothing-here";
import type { Books } from "@handrail/gateway/ports/books";
import type { Deployment } from "@handrail/gateway/ports/deployment";
import { priceList } from "@handrail/gateway/prices/price-list";
import { gatewayOver } from "@handrail/gateway/program/gateway-over";
import { withMasterKey } from "@handrail/gateway/program/master-key";
import { openStores, type StoreSettings } from "@handrail/gateway/program/open-stores";
import { NO_PLACES, type Places as Configured } from "@handrail/gateway/program/places";
import type { Logger } from "pino";
import { LOCAL_USER } from "../../auth/identify.ts";
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

export type OpenGatewayParts = {
  readonly stores: StoreSettings;
  /** What the gateway's configuration file says. */
  readonly configured: Configured | undefined;
  readonly settings: ModelSettings;
  readonly stored: StoredDeployments;
  readonly demo: DemoModel;
  readonly secrets: Secrets;
  readonly mask: Mask;
  /** The server's own bearer token, which may do here what a master key of LiteLLM may. */
  readonly localToken: string;
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
  const books = withMasterKeys(stores.books, configured, parts.localToken);
  const places = currentPlaces(parts, configured);
  await places.refresh();
  const prices = priceList();
  const catalog = catalogOf(places.now, () => configured.rules);
  const serving = { catalog, routing: () => configured.routing, prices, log: parts.log, alone: false };
  const { gateway, metrics } = gatewayOver(serving, { ...stores, books });
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
      if (!gateway.handle(request, response)) sendNothingHere(response);
    },
    metrics: async () => (await metrics()).text,
    async close() {
      await gateway.close(GRACE_MS);
      await stores.close();
    },
  };
}

/** That of the configuration's file, and the server's own token, which is its user's. */
function withMasterKeys(books: Books, { general: { masterKey } }: Configured, localToken: string): Books {
  const known = masterKey === undefined ? books : withMasterKey(books, masterKey);
  return withMasterKey(known, localToken, { kind: "user", id: LOCAL_USER });
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
