import { apiRoutes } from "../admin/api-routes.ts";
import { catalogOf } from "../catalog/catalog.ts";
import type { CacheRules } from "../flow/core.ts";
import { createGateway, type Gateway } from "../gateway.ts";
import type { Guard } from "../guard/open-guard.ts";
import type { DeploymentStanding } from "../litellm/admin/admin.ts";
import { adminRoutes } from "../litellm/admin/gateway-routes.ts";
import { gatewayMetrics } from "../metrics/gateway-metrics.ts";
import { observeMetrics } from "../metrics/observe-metrics.ts";
import type { RedisLimits } from "../limits/limits-in-redis.ts";
import { readStandings } from "../metrics/read-standings.ts";
import type { Books } from "../ports/books.ts";
import type { Catalog } from "../ports/deployment.ts";
import { priceList } from "../prices/price-list.ts";
import type { Traces } from "../trace/open-traces.ts";
import type { Log } from "./json-log.ts";
import { logCalls } from "./log-calls.ts";
import { observers } from "./observers.ts";
import type { Places } from "./places.ts";

/** What outlives calls; whoever opened them closes them. */
export type Stores = {
  readonly books: Books;
  readonly cache: CacheRules;
  readonly guard: Guard;
  readonly traces: Traces;
  /** Where limits are counted in Redis. */
  readonly limits?: Pick<RedisLimits, "events" | "trouble">;
};

/** The gateway of the program, with its metrics and LiteLLM's management routes. */
export function gatewayOver(places: Places, { books, cache, guard, traces, limits }: Stores, log: Log): Gateway {
  const catalog = catalogOf(
    () => places.deployments,
    () => places.rules,
  );
  const prices = priceList();
  const standings = () => standingsOf(catalog, gateway);
  const metrics = gatewayMetrics({
    process: true,
    sources: {
      deployments: standings,
      standings: () => readStandings(books),
      inFlight: () => gateway.calls(),
      ...(limits && { limits }),
    },
  });
  const gateway: Gateway = createGateway({
    catalog,
    books,
    prices,
    routing: () => places.routing,
    cache,
    ...guard.parts,
    ...(limits && { readiness: () => ({ limits: limits.trouble() === undefined ? "redis" : "books" }) }),
    ...traces.parts,
    observer: observers(logCalls(log), observeMetrics(metrics, catalog)),
    routes: [
      ...adminRoutes({ books, catalog, prices, standings, cache: cache.answers, now: Date.now }),
      ...apiRoutes(books, Date.now),
    ],
    async metrics() {
      const { contentType, text } = await metrics.text();
      return { contentType, body: text };
    },
  });
  return gateway;
}

function standingsOf(catalog: Catalog, gateway: Gateway): readonly DeploymentStanding[] {
  const deployments = catalog.list().flatMap((group) => group.deployments);
  return deployments.map((deployment) => {
    const { state, lastError } = gateway.health(deployment.id);
    return { deployment, state: state === "unused" ? "ok" : state, ...(lastError !== undefined && { lastError }) };
  });
}
