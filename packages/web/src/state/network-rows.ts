import type { StoredEvent } from "@handrail/protocol/events";
import type { NetworkRequest } from "@handrail/protocol/network-events";
import { describeOutcome } from "./describe-outcome.ts";

/** One row of the list of requests. `key` stays the same. */
export type NetworkRow = { readonly key: string; readonly request: NetworkRequest };

/** Which requests are listed: all, or those of one outcome. */
export type ShownRequests = "all" | "refused" | "failed";

/** The sandbox's requests, latest first. */
export function networkRows(events: readonly StoredEvent[], shown: ShownRequests): readonly NetworkRow[] {
  return events
    .flatMap(({ seq, event }) =>
      event.type === "network.recorded"
        ? event.requests.map((request, index) => ({ key: `${seq}.${index}`, request }))
        : [],
    )
    .filter(({ request }) => shown === "all" || describeOutcome(request).outcome === shown)
    .toReversed();
}
