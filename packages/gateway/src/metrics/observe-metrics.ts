import type { KeyRecord } from "../ports/keys.ts";
import type { LedgerEntry } from "../ports/ledger.ts";
import type { Catalog } from "../ports/deployment.ts";
import type { CallEnd, GatewayObserver, Refused } from "../ports/observer.ts";
import { NO_TOKENS } from "../ports/token-usage.ts";
import type { CallReport, GatewayMetrics } from "./gateway-metrics.ts";
import { type PlaceNames, placeNames } from "./place-names.ts";

/** Counts what a gateway tells of its calls. Names of teams and models are the catalog's and the books', not the client's. */
export function observeMetrics(metrics: GatewayMetrics, catalog: Catalog): GatewayObserver {
  const names = placeNames(catalog);
  return {
    callEnded(end) {
      metrics.ended(reportOf(end, names));
      if (end.lane) metrics.answered(end.lane);
      if (end.settlement.fallbacks === 0) return;
      metrics.fellBack(names.group(end.start.model), names.group(end.group), end.settlement.outcome === "ok");
    },
    refused: (refused) => metrics.ended(refusalOf(refused, names)),
    tried: ({ deployment, ok, status, errorCode = "" }) =>
      metrics.tried(deployment, { ok, status, errorCode, group: names.group(deployment.name) }),
    wrongKey: () => metrics.wrongKey(),
    redacted: (count) => metrics.redacted(count),
    rested: (deployment) => metrics.rested(deployment),
  };
}

function reportOf({ start, settlement, key, group, route, cache, overheadMs }: CallEnd, names: PlaceNames): CallReport {
  const reached = settlement.deploymentId !== undefined && settlement.outcome !== "cached";
  return {
    entry: { ...start, ...settlement, startedAt: settlement.at - settlement.latencyMs },
    route,
    group: names.group(group),
    apiBase: names.apiBase(settlement.deploymentId),
    cacheAsked: cache !== undefined,
    ...keyOf(key),
    ...(reached && { upstreamMs: Math.max(0, settlement.latencyMs - overheadMs) }),
  };
}

/** Conversations have a key each: too many to tell apart. */
function keyOf(key: KeyRecord | undefined): Pick<CallReport, "key"> {
  if (key === undefined) return { key: { hash: "", name: "" } };
  return key.conversationId === undefined ? { key: { hash: key.hash, name: key.name } } : {};
}

const NOTHING = {
  callId: "",
  keyId: "",
  ownerKind: "user",
  ownerId: "",
  model: "",
  format: "chat",
  streamed: false,
  outcome: "failed",
  usage: NO_TOKENS,
  costUsd: 0,
  savedUsd: 0,
  estimated: false,
  priced: true,
  latencyMs: 0,
  retries: 0,
  fallbacks: 0,
} as const;

function refusalOf({ status, code, route, key, model }: Refused, names: PlaceNames): CallReport {
  const at = Date.now();
  const group = model === undefined ? "other" : names.group(model);
  const entry: LedgerEntry = { ...NOTHING, ...ownerOf(key), at, startedAt: at, status, errorCode: code };
  return { entry, route, group, cacheAsked: false, refused: true, ...keyOf(key) };
}

function ownerOf(key: KeyRecord | undefined) {
  if (key === undefined) return {};
  const { owner, teamId } = key;
  return { ownerKind: owner.kind, ownerId: owner.id, ...(teamId !== undefined && { teamId }) };
}
