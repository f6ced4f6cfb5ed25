import type { Delta } from "@handrail/protocol/deltas";

/** Live fragments of all conversations, for whoever watches. Nothing is kept but what is being waited for. */
export type LiveDeltas = {
  emit(conversationId: string, delta: Delta): void;
  /** Calls back with each fragment from now on. Returns the way to stop. */
  watch(conversationId: string, listener: (delta: Delta) => void): () => void;
  /** What still holds (what is waited for, open ports), for those who come later. */
  standing(conversationId: string): readonly Delta[];
  /** Whether anybody watches. */
  readonly isWatched: (conversationId: string) => boolean;
  /** Counts a person among those who watch, until the returned function is called. */
  attend(conversationId: string): () => void;
  /** Whether a person watches, who can answer what is asked. */
  readonly isAttended: (conversationId: string) => boolean;
  /** Calls back when somebody begins to watch a conversation. */
  onWatch(listener: (conversationId: string) => void): void;
};

export function liveDeltas(): LiveDeltas {
  const watchers = new Map<string, Set<(delta: Delta) => void>>();
  const standing = new Map<string, Map<Delta["type"], Delta>>();
  const people = counted();
  const arrivals: ((conversationId: string) => void)[] = [];
  return {
    emit(conversationId, delta) {
      keepStanding(standing, conversationId, delta);
      for (const watcher of watchers.get(conversationId) ?? []) watcher(delta);
    },
    watch(conversationId, listener) {
      const set = watchers.get(conversationId) ?? new Set();
      watchers.set(conversationId, set.add(listener));
      for (const arrival of arrivals) arrival(conversationId);
      return () => {
        set.delete(listener);
        if (set.size === 0) watchers.delete(conversationId);
      };
    },
    standing: (conversationId) => [...(standing.get(conversationId)?.values() ?? [])],
    isWatched: (conversationId) => watchers.has(conversationId),
    attend: (conversationId) => people.add(conversationId),
    isAttended: (conversationId) => people.has(conversationId),
    onWatch: (listener) => void arrivals.push(listener),
  };
}

/** Keys with how often each is there. */
function counted() {
  const counts = new Map<string, number>();
  return {
    has: (key: string) => counts.has(key),
    add(key: string): () => void {
      counts.set(key, (counts.get(key) ?? 0) + 1);
      let there = true;
      return () => {
        const left = (counts.get(key) ?? 0) - (there ? 1 : 0);
        there = false;
        if (left > 0) counts.set(key, left);
        else counts.delete(key);
      };
    },
  };
}

/** Remembers the latest of the kinds that hold until the next one, unless it says that there is nothing. */
function keepStanding(standing: Map<string, Map<Delta["type"], Delta>>, conversationId: string, delta: Delta): void {
  if (delta.type !== "progress.delta" && delta.type !== "ports.delta") return;
  const kept = standing.get(conversationId) ?? new Map<Delta["type"], Delta>();
  const nothing = delta.type === "progress.delta" ? delta.text === "" : delta.ports.length === 0;
  if (nothing) kept.delete(delta.type);
  else kept.set(delta.type, delta);
  if (kept.size === 0) standing.delete(conversationId);
  else standing.set(conversationId, kept);
}
