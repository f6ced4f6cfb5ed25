import type { GatewayObserver } from "../ports/observer.ts";
import type { Log } from "./json-log.ts";

/** Writes what goes wrong, and with level `debug` every call. Never what was said, nor keys. */
export function logCalls(log: Log): GatewayObserver {
  return {
    callEnded({ callId, group, start, settlement }) {
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
