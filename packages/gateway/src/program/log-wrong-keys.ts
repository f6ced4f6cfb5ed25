import type { GatewayObserver } from "../ports/observer.ts";
import type { Log } from "./json-log.ts";

const EVERY_MS = 60_000;

/** One line a minute at most of requests with keys that nobody has, however many come. Never says the keys. */
export function logWrongKeys(log: Pick<Log, "warn">, now: () => number = Date.now): GatewayObserver {
  let requests = 0;
  let nextAt = -Infinity;
  return {
    wrongKey(from) {
      requests += 1;
      if (now() < nextAt) return;
      log.warn({ requests, lastFrom: from }, "requests came with keys that nobody has");
      requests = 0;
      nextAt = now() + EVERY_MS;
    },
  };
}
