import type { LogStore } from "@handrail/core/ports/log-store";
import type { StoredEvent } from "@handrail/protocol/events";
import type { LiveDeltas } from "../conversations/live-deltas.ts";
import { eventsFrame, frameOf } from "./frames.ts";

/** Events that came together, with the one frame that all watchers get. */
export type Batch = { readonly events: readonly StoredEvent[]; readonly frame: string };

export type Watcher = {
  batch(batch: Batch): void;
  delta(frame: string): void;
};

/** What is new in one conversation, read from the store once for all who watch it. */
export type EventFeed = {
  /** The `seq` up to which watchers have been told. */
  readonly head: number;
};

export type EventFeeds = {
  /** Tells `watcher` of everything after the feed's head at this moment. The second value stops it. */
  watch(conversationId: string, watcher: Watcher): Promise<readonly [EventFeed, () => void]>;
  close(): void;
};

type Feed = {
  head: number;
  readonly watchers: Set<Watcher>;
  reading: boolean;
  behind: boolean;
  stop: () => void;
  readonly ready: Promise<void>;
};

const PAGE = 500;

export type FeedParts = {
  readonly store: Pick<LogStore, "onAppend" | "read" | "summary">;
  readonly deltas: Pick<LiveDeltas, "watch">;
  readonly onFailure: (thrown: unknown) => void;
};

/** Appends only wake a feed; what it sends it reads from the store, in the order of `seq`. */
export function eventFeeds({ store, deltas, onFailure }: FeedParts): EventFeeds {
  const feeds = new Map<string, Feed>();

  const unwatch = store.onAppend((id) => {
    const feed = feeds.get(id);
    if (feed !== undefined) readNew(store, id, feed).catch(onFailure);
  });
  const open = (id: string): Feed => {
    const watchers = new Set<Watcher>();
    const stop = deltas.watch(id, (delta) => {
      if (watchers.size === 0) return;
      const frame = frameOf({ type: "delta", conversationId: id, delta });
      for (const watcher of watchers) watcher.delta(frame);
    });
    const ready = store.summary(id).then(({ head }) => {
      feed.head = Math.max(feed.head, head);
    });
    const feed: Feed = { head: -1, watchers, reading: false, behind: false, stop, ready };
    return feed;
  };

  return {
    async watch(id, watcher) {
      const feed = feeds.get(id) ?? open(id);
      feeds.set(id, feed);
      feed.watchers.add(watcher);
      const leave = () => {
        feed.watchers.delete(watcher);
        if (feed.watchers.size > 0 || feeds.get(id) !== feed) return;
        feeds.delete(id);
        feed.stop();
      };
      try {
        await feed.ready;
      } catch (thrown) {
        leave();
        throw thrown;
      }
      return [feed, leave];
    },
    close: unwatch,
  };
}

/** One reader at a time; a wake-up while it reads has it read once more. */
async function readNew(store: Pick<LogStore, "read">, id: string, feed: Feed): Promise<void> {
  feed.behind = true;
  if (feed.reading) return;
  feed.reading = true;
  try {
    await feed.ready;
    while (feed.behind) {
      feed.behind = false;
      const events = await store.read(id, feed.head, PAGE);
      feed.behind ||= events.length === PAGE;
      tell(id, feed, events);
    }
  } finally {
    feed.reading = false;
  }
}

function tell(id: string, feed: Feed, events: readonly StoredEvent[]): void {
  const last = events.at(-1);
  if (last === undefined) return;
  feed.head = last.seq;
  if (feed.watchers.size === 0) return;
  const batch = { events, frame: eventsFrame(id, events) };
  for (const watcher of feed.watchers) watcher.batch(batch);
}
