import { type Journal, openJournal } from "@handrail/core/journal";
import type { Clock } from "@handrail/core/ports/clock";
import type { LogStore } from "@handrail/core/ports/log-store";

/** One journal for each conversation that this process works with, opened at first use. */
export type OpenJournals = {
  /** @throws AppError `conversation_not_found` */
  readonly get: (conversationId: string) => Promise<Journal>;
  drop(conversationId: string): void;
  close(): void;
};

const MAX_OPEN = 500;
/** Another process's events may be this much late; this process's own are in the journal already. */
const CATCH_UP_MS = 50;

/** Keeps the most recently used journals open, and all those with a run under way. */
export function openJournals(store: LogStore, clock: Clock, onFailure: (thrown: unknown) => void): OpenJournals {
  const opened = new Map<string, Promise<Journal>>();
  const current = new Map<string, Journal>();
  const timers = new Map<string, NodeJS.Timeout>();

  const open = async (id: string) => {
    const journal = await openJournal(store, clock, id);
    current.set(id, journal);
    return journal;
  };
  const drop = (id: string) => {
    opened.delete(id);
    current.delete(id);
  };
  const trim = () => {
    const idle = [...current].filter(([, journal]) => journal.state.run === null).map(([id]) => id);
    for (const id of idle.slice(0, Math.max(0, opened.size - MAX_OPEN))) drop(id);
  };
  const unwatch = store.onAppend((id) => {
    if (!current.has(id) || timers.has(id)) return;
    const timer = setTimeout(() => {
      timers.delete(id);
      catchUp(store, current.get(id)).catch(onFailure);
    }, CATCH_UP_MS);
    timers.set(id, timer.unref());
  });

  return {
    async get(id) {
      const known = opened.get(id);
      const journal = known ?? open(id);
      opened.delete(id);
      opened.set(id, journal);
      if (known === undefined) {
        journal.catch(() => drop(id));
        trim();
      }
      return journal;
    },
    drop,
    close() {
      unwatch();
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}

async function catchUp(store: LogStore, journal: Journal | undefined): Promise<void> {
  if (journal === undefined) return;
  const { head } = await store.summary(journal.state.id);
  if (head > journal.state.head) await journal.catchUp();
}
