import type { Settlement } from "../ports/ledger.ts";
import type { GatewayObserver } from "../ports/observer.ts";
import type { Log } from "./json-log.ts";

/**
 * Writes what goes wrong, and with level `debug` every call; of a deployment whose price is not known once. Never what was said, nor
 * keys.
 */
export function logCalls(log: Pick<Log, "debug" | "info" | "warn">): GatewayObserver {
  const noteUnpriced = unpricedOnce(log);
  return {
    callEnded({ callId, group, start, settlement }) {
      if (!settlement.priced) noteUnpriced(settlement);
      const { outcome, status, errorCode, latencyMs, costUsd, deploymentId, retries, fallbacks } = settlement;
      const bad = outcome === "failed" || outcome === "broken";
      const facts = { keyId: start.keyId, model: group, deploymentId, outcome, status, errorCode, costUsd };
      const line = { callId, ...facts, ms: Math.round(latencyMs), retries, fallbacks };
      if (bad) log.warn(line, "a call failed");
      else log.debug(line, "call");
    },
    refused: ({ status, code, route }) => log.debug({ status, code, route }, "a call was not let through"),
    tried({ deployment: { id }, ok, status, errorCode, ms }) {
      if (!ok) log.info({ deploymentId: id, status, errorCode, ms: Math.round(ms) }, "a deployment did not answer");
    },
    rested: ({ id }, until) => log.warn({ deploymentId: id, until: new Date(until).toISOString() }, "it rests"),
  };
}

function unpricedOnce(log: Pick<Log, "warn">) {
  const known = new Set<string>();
  return ({ deploymentId = "", upstreamModel }: Settlement): void => {
    if (known.has(deploymentId)) return;
    known.add(deploymentId);
    log.warn(
      { deploymentId, model: upstreamModel },
      "its price is not known: it costs 0 in the books, and no budget stops it",
    );
  };
}
