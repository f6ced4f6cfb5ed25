import { join } from "node:path";
import { adminKeys } from "@handrail/gateway/admin/admin-keys";
import { adminOwners } from "@handrail/gateway/admin/admin-owners";
import { adminSpend } from "@handrail/gateway/admin/admin-spend";
import { openSqliteBooks } from "@handrail/gateway/books/open-sqlite-books";
import { openCache } from "@handrail/gateway/cache/open-cache";
import { catalogOf } from "@handrail/gateway/catalog/catalog";
import { createGateway, type Gateway } from "@handrail/gateway/gateway";
import { type Guard, type GuardSettings, openGuard } from "@handrail/gateway/guard/open-guard";
import type { Books } from "@handrail/gateway/ports/books";
import type { Deployment } from "@handrail/gateway/ports/deployment";
import type { PriceList } from "@handrail/gateway/ports/price-list";
import { priceList } from "@handrail/gateway/prices/price-list";
import { openTraces, type Traces } from "@handrail/gateway/trace/open-traces";
import type { TraceSettings } from "@handrail/gateway/trace/trace-settings";
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
  readonly home: string;
  readonly settings: ModelSettings;
  readonly stored: StoredDeployments;
  readonly demo: DemoModel;
  readonly secrets: Secrets;
  readonly mask: Mask;
  readonly log: Logger;
  /** Whether the first model comes from the configuration. */
  readonly fixed: boolean;
  readonly guard: GuardSettings;
  readonly traces: TraceSettings | undefined;
  readonly titleOf: (conversationId: string) => Promise<string | undefined>;
};

const GRACE_MS = 1000;

/** Opens the books beside the log and starts the gateway over them. @throws AppError what `openSqliteBooks` throws */
export async function openGateway(parts: OpenGatewayParts, url: string): Promise<GatewayHost> {
  const guard = await openGuard(parts.guard, parts);
  const traces = await openTraces(parts.traces, parts);
  const books = await openSqliteBooks({ file: join(parts.home, "gateway.sqlite") });
  const places = currentPlaces(parts);
  await places.refresh();
  const prices = priceList();
  const { gateway, watch } = gatewayOver(places, { books, prices, guard, traces });
  const { stored, fixed, secrets, mask, titleOf } = parts;
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
        fixed,
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
      await guard.close();
      await books.close();
      await traces.close(GRACE_MS);
    },
  };
}

type Places = ReturnType<typeof currentPlaces>;

type GatewayStores = {
  readonly books: Books;
  readonly prices: PriceList;
  readonly guard: Guard;
  readonly traces: Traces;
};

/** Answers are only cached for keys that say so: an agent's calls never are. */
function gatewayOver(places: Places, { books, prices, guard, traces }: GatewayStores) {
  const cache = openCache({ enabled: false });
  const catalog = catalogOf(places.now);
  const watch = watchGateway(catalog, books, (): Gateway => gateway);
  const { observer } = watch;
  const gateway = createGateway({
    catalog,
    books,
    prices,
    probes: false,
    cache,
    observer,
    ...guard.parts,
    ...traces.parts,
  });
  return { gateway, watch };
}

/** What can be asked for now. */
function currentPlaces({ settings, stored, demo }: OpenGatewayParts) {
  let list: readonly Deployment[] = [];
  let known = "";
  return {
    now: () => list,
    /** The same list while nothing has changed: the catalog is made anew only for another. */
    async refresh(): Promise<readonly Deployment[]> {
      const [setting, all] = await Promise.all([settings.current(), stored.all()]);
      const next = deploymentsFrom({ stored: all, setting, demo: demo.started() });
      const text = JSON.stringify(next);
      if (text !== known) {
        known = text;
        list = next;
      }
      return list;
    },
  };
}
