import type { StoredEvent } from "@handrail/protocol/events";

/**
 * How far one conversation's events have been handed on. `last` is the `seq` of the latest, -1 before the first.
 * `resyncing`: a new replay was asked for and nothing of it has come yet; what comes out of order meanwhile is old.
 */
export type EventFeed = { readonly last: number; readonly resyncing: boolean };

export type Received = {
  readonly feed: EventFeed;
  /** The events to hand on now: each once, in order, without a gap to those before. */
  readonly events: readonly StoredEvent[];
  /** True when events are missing: subscribe anew, after `feed.last`. */
  readonly resync: boolean;
};

/** Takes a frame of events: repeats are dropped, and from the first gap on the rest is left for a new replay. Pure. */
export function receiveEvents(feed: EventFeed, frame: readonly StoredEvent[]): Received {
  const events: StoredEvent[] = [];
  let { last } = feed;
  let gap = false;
  for (const event of frame) {
    if (event.seq === last + 1) {
      events.push(event);
      last = event.seq;
    } else if (event.seq > last) {
      gap = true;
      break;
    }
  }
  const waiting = feed.resyncing && events.length === 0;
  return { feed: { last, resyncing: waiting || gap }, events, resync: gap && !waiting };
}
