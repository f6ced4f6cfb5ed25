import type { Gateway } from "@handrail/gateway/gateway";
import { gatewayMetrics } from "@handrail/gateway/metrics/gateway-metrics";
import { observeMetrics } from "@handrail/gateway/metrics/observe-metrics";
import { readStandings } from "@handrail/gateway/metrics/read-standings";
import type { Catalog } from "@handrail/gateway/ports/deployment";
import type { GatewayObserver } from "@handrail/gateway/ports/observer";
import type { Stores } from "@handrail/gateway/program/gateway-over";

/** Counts what the gateway does. */
export type GatewayWatch = {
  readonly observer: GatewayObserver;
  /** In Prometheus' text format. */
  text(): Promise<string>;
};

type Watched = Pick<Stores, "books" | "limits">;

/** `gateway` is asked for only when the numbers are: it is made with the observer. */
export function watchGateway(catalog: Catalog, { books, limits }: Watched, gateway: () => Gateway): GatewayWatch {
  const deployments = () =>
    catalog
      .list()
      .flatMap((group) => group.deployments)
      .map((deployment) => ({ deployment, state: stateOf(gateway(), deployment.id) }));
  const metrics = gatewayMetrics({
    sources: {
      deployments,
      standings: () => readStandings(books),
      inFlight: () => gateway().calls(),
      ...(limits && { limits }),
    },
  });
  return {
    observer: observeMetrics(metrics, catalog),
    text: async () => (await metrics.text()).text,
  };
}

function stateOf(gateway: Gateway, id: string) {
  const { state } = gateway.health(id);
  return state === "unused" ? "ok" : state;
}
