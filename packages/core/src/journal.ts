import { applyEvent, type ConversationState } from "@handrail/protocol/conversation-state";
import { AppError } from "@handrail/protocol/errors";
import type { ConversationEvent, EventOf, StoredEvent } from "@handrail/protocol/events";
import { summaryOf } from "@handrail/protocol/summary";
import type { Clock } from "./ports/clock.ts";
import type { LogStore } from "./ports/log-store.ts";

/** What to append, given how things stand. Called again with newer state when another writer was first. */
export type Decide = (state: ConversationState) => readonly ConversationEvent[];

/**
 * One conversation's log, with its state kept folded. Several writers may hold journals of the same conversation, in
 * this process or others: each append names the `seq` it expects, and the one that comes second decides anew.
 */
export type Journal = {
  /** As of the last event that this journal has seen. */
  readonly state: ConversationState;
  /** Appends what `decide` gives, which may be nothing. Commits of one journal run one after another. */
  commit(decide: Decide): Promise<readonly StoredEvent[]>;
  /** Folds in what others have appended. */
  catchUp(): Promise<void>;
  /** Calls back with every event from now on, in order, whoever wrote it. Returns the way to stop. */
  onEvents(listener: (events: readonly StoredEvent[]) => void): () => void;
};

const PAGE = 1000;

/** Opens an existing conversation's log. @throws AppError `conversation_not_found` */
export async function openJournal(store: LogStore, clock: Clock, conversationId: string): Promise<Journal> {
  let state: ConversationState | null = null;
  for (;;) {
    const page: readonly StoredEvent[] = await store.read(conversationId, state?.head ?? -1, PAGE);
    state = page.reduce<ConversationState | null>(applyEvent, state);
    if (page.length < PAGE) break;
  }
  if (state === null) throw new AppError("conversation_not_found", "There is no such conversation.");
  return journalFrom(store, clock, state);
}

/** Writes a new log's first event and opens it. */
export async function createJournal(
  store: LogStore,
  clock: Clock,
  created: EventOf<"conversation.created">,
): Promise<Journal> {
  const at = clock.now();
  const state = applyEvent(null, { seq: 0, at, event: created });
  const id = created.conversationId;
  await store.append({ conversationId: id, expectedSeq: 0, events: [created], summary: summaryOf(state), at });
  return journalFrom(store, clock, state);
}

function journalFrom(store: LogStore, clock: Clock, from: ConversationState): Journal {
  let state = from;
  let queue: Promise<unknown> = Promise.resolve();
  const listeners = new Set<(events: readonly StoredEvent[]) => void>();

  const take = (events: readonly StoredEvent[]) => {
    const fresh = events.filter((stored) => stored.seq > state.head);
    if (fresh.length === 0) return;
    state = fresh.reduce(applyEvent, state);
    for (const listener of listeners) listener(fresh);
  };
  const readOn = async () => {
    for (;;) {
      const page = await store.read(state.id, state.head, PAGE);
      take(page);
      if (page.length < PAGE) return;
    }
  };
  const attempt = async (decide: Decide): Promise<readonly StoredEvent[]> => {
    for (;;) {
      const events = decide(state);
      if (events.length === 0) return [];
      const at = Math.max(clock.now(), state.updatedAt);
      const expectedSeq = state.head + 1;
      const after = foldOn(state, events, at);
      try {
        const stored = await store.append({
          conversationId: state.id,
          expectedSeq,
          events,
          summary: summaryOf(after),
          at,
        });
        take(stored);
        return stored;
      } catch (thrown) {
        if (!(thrown instanceof AppError) || thrown.code !== "log_conflict") throw thrown;
        await readOn();
      }
    }
  };
  /** One at a time, in order; a failure is its own caller's alone. */
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = queue.then(work, work);
    queue = result.catch(() => undefined);
    return result;
  };

  return {
    get state() {
      return state;
    },
    commit: (decide) => inTurn(() => attempt(decide)),
    catchUp: () => inTurn(readOn),
    onEvents(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function foldOn(state: ConversationState, events: readonly ConversationEvent[], at: number): ConversationState {
  return events.reduce<ConversationState>((next, event) => applyEvent(next, { seq: next.head + 1, at, event }), state);
}
