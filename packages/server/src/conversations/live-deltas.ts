import type { Delta } from "@handrail/protocol/deltas";

/** Live fragments of all conversations, for whoever watches. Nothing is kept but what is being waited for. */
export type LiveDeltas = {
  emit(conversationId: string, delta: Delta): void;
  /** Calls back with each fragment from now on. Returns the way to stop. */
  watch(conversationId: string, listener: (delta: Delta) => void): () => void;
  /** The latest `progress.delta` that is not over, for those who come later. */
  progress(conversationId: string): Delta | undefined;
};

export function liveDeltas(): LiveDeltas {
  const watchers = new Map<string, Set<(delta: Delta) => void>>();
  const waits = new Map<string, Delta>();
  return {
    emit(conversationId, delta) {
      if (delta.type === "progress.delta") {
        if (delta.text === "") waits.delete(conversationId);
        else waits.set(conversationId, delta);
      }
      for (const watcher of watchers.get(conversationId) ?? []) watcher(delta);
    },
    watch(conversationId, listener) {
      const set = watchers.get(conversationId) ?? new Set();
      watchers.set(conversationId, set.add(listener));
      return () => {
        set.delete(listener);
        if (set.size === 0) watchers.delete(conversationId);
      };
    },
    progress: (conversationId) => waits.get(conversationId),
  };
}
