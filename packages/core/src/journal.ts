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
  return new LogJournal(store, clock, state);
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
  return new LogJournal(store, clock, state);
}

class LogJournal implements Journal {
  readonly #store: LogStore;
  readonly #clock: Clock;
  readonly #listeners = new Set<(events: readonly StoredEvent[]) => void>();
  #state: ConversationState;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(store: LogStore, clock: Clock, state: ConversationState) {
    this.#store = store;
    this.#clock = clock;
    this.#state = state;
  }

  get state(): ConversationState {
    return this.#state;
  }

  commit(decide: Decide): Promise<readonly StoredEvent[]> {
    return this.#inTurn(() => this.#attempt(decide));
  }

  catchUp(): Promise<void> {
    return this.#inTurn(() => this.#readOn());
  }

  onEvents(listener: (events: readonly StoredEvent[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** One at a time, in order; a failure is its own caller's alone. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#queue.then(work, work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #attempt(decide: Decide): Promise<readonly StoredEvent[]> {
    for (;;) {
      const events = decide(this.#state);
      if (events.length === 0) return [];
      try {
        return await this.#append(events);
      } catch (thrown) {
        if (!(thrown instanceof AppError) || thrown.code !== "log_conflict") throw thrown;
        await this.#readOn();
      }
    }
  }

  async #append(events: readonly ConversationEvent[]): Promise<readonly StoredEvent[]> {
    // Times never go back within a log, whatever the clock does.
    const at = Math.max(this.#clock.now(), this.#state.updatedAt);
    const summary = summaryOf(foldOn(this.#state, events, at));
    const place = { conversationId: this.#state.id, expectedSeq: this.#state.head + 1 };
    const stored = await this.#store.append({ ...place, events, summary, at });
    this.#take(stored);
    return stored;
  }

  async #readOn(): Promise<void> {
    for (;;) {
      const page = await this.#store.read(this.#state.id, this.#state.head, PAGE);
      this.#take(page);
      if (page.length < PAGE) return;
    }
  }

  #take(events: readonly StoredEvent[]): void {
    const fresh = events.filter((stored) => stored.seq > this.#state.head);
    if (fresh.length === 0) return;
    this.#state = fresh.reduce(applyEvent, this.#state);
    for (const listener of this.#listeners) listener(fresh);
  }
}

function foldOn(state: ConversationState, events: readonly ConversationEvent[], at: number): ConversationState {
  return events.reduce<ConversationState>((next, event) => applyEvent(next, { seq: next.head + 1, at, event }), state);
}
