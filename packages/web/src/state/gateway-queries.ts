import type { Client } from "@handrail/client/create-client";
import type { SpendGroup } from "@handrail/protocol/gateway";
import { queryOptions } from "@tanstack/react-query";

/** Places where models can be had. Their health changes by itself. */
export const gatewayModelsQuery = (client: Client) =>
  queryOptions({
    queryKey: ["gateway", "models"],
    queryFn: ({ signal }) => client.gatewayModels({ signal }),
    refetchInterval: 10_000,
  });

/** Virtual keys and what they have used. */
export const gatewayKeysQuery = (client: Client) =>
  queryOptions({
    queryKey: ["gateway", "keys"],
    queryFn: ({ signal }) => client.gatewayKeys({ signal }),
    refetchInterval: 30_000,
  });

/** Users and teams that have limits. */
export const gatewayOwnersQuery = (client: Client) =>
  queryOptions({
    queryKey: ["gateway", "owners"],
    queryFn: ({ signal }) => client.gatewayOwners({ signal }),
    refetchInterval: 30_000,
  });

/** Sums of spend from a moment on. */
export const gatewaySpendQuery = (client: Client, by: SpendGroup, from: number) =>
  queryOptions({
    queryKey: ["gateway", "spend", by, from],
    queryFn: ({ signal }) => client.gatewaySpend({ query: { by, from }, signal }),
    refetchInterval: 30_000,
  });

/** The last single calls. */
export const gatewayCallsQuery = (client: Client, from: number) =>
  queryOptions({
    queryKey: ["gateway", "calls", from],
    queryFn: ({ signal }) => client.gatewayCalls({ query: { from, limit: 50 }, signal }),
    refetchInterval: 30_000,
  });
