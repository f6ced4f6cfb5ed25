import type { Client } from "@handrail/client/create-client";
import type { StoredEvent } from "@handrail/protocol/events";

/** A conversation's events from the first, page by page. */
export async function* allEvents(client: Client, id: string): AsyncGenerator<readonly StoredEvent[]> {
  for (let after = -1; ;) {
    const { events, head } = await client.events({ params: { id }, query: { after, limit: 5000 } });
    const last = events.at(-1);
    if (last === undefined) return;
    yield events;
    if (last.seq >= head) return;
    after = last.seq;
  }
}
