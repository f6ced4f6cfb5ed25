import type { Delta } from "@handrail/protocol/deltas";
import type { AppError } from "@handrail/protocol/errors";
import type { StoredEvent } from "@handrail/protocol/events";
import type { ToServer } from "@handrail/protocol/socket";
import { receiveEvents, type EventFeed } from "./event-feed.ts";
import type { Timers } from "./timers.ts";

/** What a watcher of one conversation is told. */
export type Watcher = {
  /** Events in order, each once, without a gap to those before. */
  readonly onEvents: (events: readonly StoredEvent[]) => void;
  readonly onDelta?: (delta: Delta) => void;
  /** The server refused the subscription, or failed at it. */
  readonly onError?: (error: AppError) => void;
  /** A person looks, who can answer: what the conversation asks then waits a while for them. */
  readonly attended?: boolean;
};

const REPLAY_WITHIN_MS = 5_000;

/** One conversation's place in the stream: asks anew when events are missing or the socket was lost. */
export class EventSubscription {
  readonly watcher: Watcher;
  readonly #conversationId: string;
  readonly #send: (message: ToServer) => void;
  readonly #timers: Timers;
  #feed: EventFeed;
  #cancelRepeat = () => {};

  constructor(
    place: { readonly conversationId: string; readonly after: number },
    watcher: Watcher,
    send: (message: ToServer) => void,
    timers: Timers,
  ) {
    this.#conversationId = place.conversationId;
    this.#feed = { last: place.after, resyncing: false };
    this.watcher = watcher;
    this.#send = send;
    this.#timers = timers;
  }

  /** Asks for what follows the last event handed on. For a socket that has not been asked yet. */
  ask(): void {
    this.#cancelRepeat();
    this.#feed = { ...this.#feed, resyncing: false };
    this.#subscribe();
  }

  receive(frame: readonly StoredEvent[]): void {
    const { feed, events, resync } = receiveEvents(this.#feed, frame);
    this.#feed = feed;
    if (!feed.resyncing) this.#cancelRepeat();
    if (resync) this.#askAgain();
    if (events.length > 0) this.watcher.onEvents(events);
  }

  /** No more is wanted. */
  end(): void {
    this.#cancelRepeat();
    this.#send({ type: "unsubscribe", conversationId: this.#conversationId });
  }

  #subscribe(): void {
    const attended = this.watcher.attended === true ? { attended: true } : {};
    this.#send({ type: "subscribe", conversationId: this.#conversationId, after: this.#feed.last, ...attended });
  }

  #askAgain(): void {
    this.#send({ type: "unsubscribe", conversationId: this.#conversationId });
    this.#subscribe();
    this.#cancelRepeat();
    this.#cancelRepeat = this.#timers.after(REPLAY_WITHIN_MS, () => this.#askAgain());
  }
}
