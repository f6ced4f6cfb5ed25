import type { LogStore } from "@handrail/core/ports/log-store";
import { AppError } from "@handrail/protocol/errors";
import type { LiveDeltas } from "../conversations/live-deltas.ts";
import type { Batch, EventFeed, EventFeeds, Watcher } from "./event-feed.ts";
import { eventsFrame, frameOf } from "./frames.ts";
import type { Outlet } from "./outlet.ts";

export type SubscriptionParts = {
  readonly store: Pick<LogStore, "read">;
  readonly feeds: EventFeeds;
  readonly deltas: Pick<LiveDeltas, "standing" | "attend">;
  readonly onFailure: (thrown: unknown) => void;
};

export type Subscribed = { readonly conversationId: string; readonly after: number; readonly outlet: Outlet };

const PAGE = 500;

/** How far one client is. `live`: it gets what is new as it comes; else events are read for it from the store. */
type Progress = { position: number; live: boolean; over: boolean };

/**
 * Sends events after a number, then new ones as they come, without gap or repeat. A client that falls behind is given
 * events from the store again, at its own pace. Returns the way to stop.
 * @throws AppError `conversation_not_found`; `log_conflict` when the client has more events than the log
 */
export async function subscribe(parts: SubscriptionParts, subscribed: Subscribed): Promise<() => void> {
  const { conversationId, after, outlet } = subscribed;
  const progress: Progress = { position: after, live: false, over: false };
  const watcher: Watcher = {
    batch: (batch) => {
      if (!passOn(batch, progress, subscribed)) catchUp();
    },
    delta: (frame) => {
      if (progress.live) outlet.sendIfQuick(frame);
    },
  };
  const [feed, leave] = await parts.feeds.watch(conversationId, watcher);
  const catchUp = () => {
    progress.live = false;
    readOn(parts.store, feed, progress, subscribed).catch((thrown: unknown) => {
      if (!outlet.closed.aborted) parts.onFailure(thrown);
    });
  };
  if (after > feed.head) {
    leave();
    throw new AppError("log_conflict", "The server knows fewer events than this page does. Load the page again.");
  }
  catchUp();
  for (const delta of parts.deltas.standing(conversationId)) {
    outlet.send(frameOf({ type: "delta", conversationId, delta }));
  }
  return () => {
    progress.over = true;
    progress.live = false;
    leave();
  };
}

/** Sends new events to a live client. False: it cannot take them in order, and must read on from the store. */
function passOn({ events, frame }: Batch, progress: Progress, { conversationId, outlet }: Subscribed): boolean {
  const [first] = events;
  const last = events.at(-1);
  if (!progress.live || first === undefined || last === undefined || last.seq <= progress.position) return true;
  if (outlet.behind || first.seq > progress.position + 1) return false;
  const rest = events.filter((stored) => stored.seq > progress.position);
  outlet.send(rest.length === events.length ? frame : eventsFrame(conversationId, rest));
  progress.position = last.seq;
  return true;
}

async function readOn(
  store: Pick<LogStore, "read">,
  feed: EventFeed,
  progress: Progress,
  { conversationId, outlet }: Subscribed,
): Promise<void> {
  while (!progress.over) {
    const events = await store.read(conversationId, progress.position, PAGE);
    const last = events.at(-1);
    if (last !== undefined) {
      await outlet.sendAndWait(eventsFrame(conversationId, events));
      progress.position = last.seq;
    } else if (feed.head <= progress.position) {
      progress.live = true;
      return;
    }
  }
}
