import type { LogStore } from "@handrail/core/ports/log-store";
import { AppError } from "@handrail/protocol/errors";
import type { LiveDeltas } from "../conversations/live-deltas.ts";
import type { Batch, EventFeeds } from "./event-feed.ts";
import { eventsFrame, frameOf } from "./frames.ts";
import type { Outlet } from "./outlet.ts";

export type SubscriptionParts = {
  readonly store: Pick<LogStore, "read">;
  readonly feeds: EventFeeds;
  readonly deltas: Pick<LiveDeltas, "progress">;
  readonly onFailure: (thrown: unknown) => void;
};

export type Subscribed = { readonly conversationId: string; readonly after: number; readonly outlet: Outlet };

const PAGE = 500;

/**
 * Sends events after a number, then new ones as they come, without gap or repeat. A client that falls behind is given
 * events from the store again, at its own pace. Returns the way to stop.
 * @throws AppError `conversation_not_found`; `log_conflict` when the client has more events than the log
 */
export async function subscribe(
  { store, feeds, deltas, onFailure }: SubscriptionParts,
  { conversationId, after, outlet }: Subscribed,
): Promise<() => void> {
  let position = after;
  let live = false;
  let over = false;

  const batch = ({ events, frame }: Batch) => {
    const [first] = events;
    const last = events.at(-1);
    if (!live || first === undefined || last === undefined || last.seq <= position) return;
    if (outlet.behind || first.seq > position + 1) return catchUp();
    const whole = first.seq === position + 1;
    outlet.send(
      whole
        ? frame
        : eventsFrame(
            conversationId,
            events.filter((stored) => stored.seq > position),
          ),
    );
    position = last.seq;
  };
  const delta = (frame: string) => {
    if (live) outlet.sendIfQuick(frame);
  };
  const [feed, leave] = await feeds.watch(conversationId, { batch, delta });

  const readOn = async () => {
    while (!over) {
      const events = await store.read(conversationId, position, PAGE);
      const last = events.at(-1);
      if (last !== undefined) {
        await outlet.sendAndWait(eventsFrame(conversationId, events));
        position = last.seq;
      } else if (feed.head <= position) {
        live = true;
        return;
      }
    }
  };
  const catchUp = () => {
    live = false;
    readOn().catch((thrown: unknown) => {
      if (!outlet.closed.aborted) onFailure(thrown);
    });
  };

  if (after > feed.head) {
    leave();
    throw new AppError("log_conflict", "The server knows fewer events than this page does. Load the page again.");
  }
  catchUp();
  const waiting = deltas.progress(conversationId);
  if (waiting !== undefined) outlet.send(frameOf({ type: "delta", conversationId, delta: waiting }));
  return () => {
    over = true;
    live = false;
    leave();
  };
}
