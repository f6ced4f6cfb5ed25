import { applyEvent, type ConversationState } from "@handrail/protocol/conversation-state";
import type { Delta } from "@handrail/protocol/deltas";
import type { AppError } from "@handrail/protocol/errors";
import type { StoredEvent } from "@handrail/protocol/events";
import { applyFileChanges, type FileChanges, NO_FILE_CHANGES } from "@handrail/protocol/file-changes";
import { applyTranscript, NO_TRANSCRIPT, type Transcript } from "@handrail/protocol/transcript";
import { applyDelta, type LiveFragments, NO_FRAGMENTS, settleFragments } from "./live-fragments.ts";

/** One conversation as the page knows it: its events by `seq`, and what is folded out of them. */
export type ConversationView = {
  readonly events: readonly StoredEvent[];
  readonly state: ConversationState | null;
  readonly transcript: Transcript;
  readonly files: FileChanges;
  readonly live: LiveFragments;
  readonly error: AppError | null;
};

/** A batch of this many events is a replay: live ones come by the few. */
const REPLAY_EVENTS = 100;

const EMPTY: ConversationView = {
  events: [],
  state: null,
  transcript: NO_TRANSCRIPT,
  files: NO_FILE_CHANGES,
  live: NO_FRAGMENTS,
  error: null,
};

/** Holds one conversation's view and tells its readers of changes, at most once for each `schedule`. */
export type ConversationStore = {
  readonly subscribe: (reader: () => void) => () => void;
  readonly view: () => ConversationView;
  /** Takes events that continue those it has. */
  receiveEvents(events: readonly StoredEvent[]): void;
  receiveDelta(delta: Delta): void;
  fail(error: AppError): void;
  /** Forgets live fragments: after a lost connection nothing says that they still go on. */
  dropFragments(): void;
};

/**
 * An empty store. `schedule` runs a callback soon, such as before the next frame; `replaying` says that a long history
 * is coming in, so that it may be gathered for longer.
 */
export function conversationStore(schedule: (flush: () => void, replaying: boolean) => void): ConversationStore {
  const readers = new Set<() => void>();
  let view = EMPTY;
  let waiting: (readonly StoredEvent[] | Delta)[] = [];
  const publish = (next: ConversationView) => {
    view = next;
    for (const reader of readers) reader();
  };
  const flush = () => {
    const taken = waiting;
    waiting = [];
    publish(applyAll(view, taken));
  };
  const take = (received: readonly StoredEvent[] | Delta) => {
    waiting.push(received);
    if (waiting.length === 1) schedule(flush, Array.isArray(received) && received.length >= REPLAY_EVENTS);
  };
  return {
    subscribe(reader) {
      readers.add(reader);
      return () => readers.delete(reader);
    },
    view: () => view,
    receiveEvents: take,
    receiveDelta: take,
    fail: (error) => publish({ ...view, error }),
    dropFragments: () => publish({ ...view, live: NO_FRAGMENTS }),
  };
}

/** The view after what was received, in order; neighbouring event batches are folded as one. Pure. */
export function applyAll(view: ConversationView, received: readonly (readonly StoredEvent[] | Delta)[]) {
  const fresh: StoredEvent[] = [];
  let live = view.live;
  for (const one of received) {
    if (isDelta(one)) live = applyDelta(live, one);
    else {
      const head = fresh.at(-1)?.seq ?? view.transcript.head;
      const next = one.filter((event) => event.seq > head);
      for (const event of next) fresh.push(event);
      live = settleFragments(live, next);
    }
  }
  if (fresh.length === 0) return { ...view, live };
  return {
    events: [...view.events, ...fresh],
    state: fresh.reduce<ConversationState | null>(applyEvent, view.state),
    transcript: applyTranscript(view.transcript, fresh),
    files: applyFileChanges(view.files, fresh),
    live,
    error: null,
  };
}

const isDelta = (received: readonly StoredEvent[] | Delta): received is Delta => !Array.isArray(received);
