import type { StoredEvent } from "@handrail/protocol/events";
import type { NetworkRequest } from "@handrail/protocol/network-events";

/** One row of the list of requests. `key` stays the same. */
export type NetworkRow = { readonly key: string; readonly request: NetworkRequest };

/** The sandbox's requests, latest first; only those that were refused, if so wanted. */
export function networkRows(events: readonly StoredEvent[], refusedOnly: boolean): readonly NetworkRow[] {
  return events
    .flatMap(({ seq, event }) =>
      event.type === "network.recorded"
        ? event.requests.map((request, index) => ({ key: `${seq}.${index}`, request }))
        : [],
    )
    .filter(({ request }) => !refusedOnly || !request.allowed)
    .toReversed();
}
