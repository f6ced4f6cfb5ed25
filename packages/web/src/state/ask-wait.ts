import type { StoredEvent } from "@handrail/protocol/events";
import type { NetworkRequest } from "@handrail/protocol/network-events";
import type { OpenAsk } from "@handrail/protocol/network-state";

/** A request that came this long before its ask may be the one that it is about. */
const BEFORE_MS = 10_000;

/** Whether a request that an open ask is about has been refused meanwhile, as far as the log tells. */
export function wasRefused(ask: OpenAsk, events: readonly StoredEvent[]): boolean {
  const asked = events.findLastIndex(({ event }) => event.type === "network.asked" && event.askId === ask.askId);
  return events
    .slice(asked + 1)
    .some(({ event }) => event.type === "network.recorded" && event.requests.some((request) => isOf(ask, request)));
}

/** How long the request of an ask waits still, in milliseconds; 0 when it has been refused. `holdMs`: how long requests wait. */
export function askWaitMs(ask: OpenAsk, refused: boolean, holdMs: number, nowMs: number): number {
  return refused ? 0 : Math.min(holdMs, Math.max(0, ask.at + holdMs - nowMs));
}

function isOf(ask: OpenAsk, request: NetworkRequest): boolean {
  const { host, port, reason } = request;
  if (request.at < ask.at - BEFORE_MS || host !== ask.host || port !== ask.port || reason !== ask.reason) return false;
  return reason !== "request_not_allowed" || (request.method === ask.method && request.path === ask.path);
}
