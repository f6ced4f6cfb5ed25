import { apiRoutes } from "../admin/api-routes.ts";
import type { CacheRules } from "../flow/core.ts";
import { createGateway, type Gateway } from "../gateway.ts";
import type { Guard } from "../guard/open-guard.ts";
import type { RedisLimits } from "../limits/limits-in-redis.ts";
import type { DeploymentStanding } from "../litellm/admin/admin.ts";
import { adminRoutes } from "../litellm/admin/gateway-routes.ts";
import { gatewayMetrics } from "../metrics/gateway-metrics.ts";
import { observeMetrics } from "../metrics/observe-metrics.ts";
import { readStandings } from "../metrics/read-standings.ts";
import type { Books } from "../ports/books.ts";
import type { Catalog, RoutingSettings } from "../ports/deployment.ts";
import type { PriceList } from "../ports/price-list.ts";
import type { Traces } from "../trace/open-traces.ts";
import type { Log } from "./json-log.ts";
import { logCalls } from "./log-calls.ts";
import { logWrongKeys } from "./log-wrong-keys.ts";
import { observers } from "./observers.ts";

/** What outlives calls; whoever opened them closes them. */
export type Stores = {
  readonly books: Books;
  readonly cache: CacheRules;
  readonly guard: Guard;
  readonly traces: Traces;
  /** Where limits are counted in Redis. */
  readonly limits?: Pick<RedisLimits, "events" | "trouble">;
};

/** What is served, and how. */
export type Serving = {
  readonly catalog: Catalog;
  readonly routing: () => RoutingSettings;
  readonly prices: PriceList;
  readonly log: Log;
  /** Whether it is a program of its own, which has `/metrics`, its process' among them, and Handrail's own API. */
  readonly alone: boolean;
};

/** In Prometheus' text format. */
type MetricsText = () => Promise<{ readonly contentType: string; readonly text: string }>;

/** The gateway over its stores, with metrics and LiteLLM's management routes: the same one alone and within the server. */
export function gatewayOver(
  serving: Serving,
  stores: Stores,
): { readonly gateway: Gateway; readonly metrics: MetricsText } {
  const { catalog, routing, prices, log, alone } = serving;
  const { books, cache, guard, traces, limits } = stores;
  const standings = () => standingsOf(catalog, gateway);
  const metrics = gatewayMetrics({
    process: alone,
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
    routing,
    cache,
    ...guard.parts,
    ...(limits && { readiness: () => ({ limits: limits.trouble() === undefined ? "redis" : "books" }) }),
    ...traces.parts,
    observer: observers(logCalls(log), logWrongKeys(log), observeMetrics(metrics, catalog)),
    routes: [
      ...adminRoutes({ books, catalog, prices, standings, cache: cache.answers, now: Date.now }),
      ...(alone ? apiRoutes(books, Date.now) : []),
    ],
    ...(alone && { metrics: async () => bodyOf(await metrics.text()) }),
  });
  return { gateway, metrics: () => metrics.text() };
}

const bodyOf = ({ contentType, text: body }: Awaited<ReturnType<MetricsText>>) => ({ contentType, body });

function standingsOf(catalog: Catalog, gateway: Gateway): readonly DeploymentStanding[] {
  const deployments = catalog.list().flatMap((group) => group.deployments);
  return deployments.map((deployment) => {
    const { state, lastError } = gateway.health(deployment.id);
    return { deployment, state: state === "unused" ? "ok" : state, ...(lastError !== undefined && { lastError }) };
  });
}
