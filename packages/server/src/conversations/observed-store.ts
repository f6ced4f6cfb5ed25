import type { LogStore } from "@handrail/core/ports/log-store";
import { AppError } from "@handrail/protocol/errors";
import type { StoredEvent } from "@handrail/protocol/events";

/** A log store that reports what is appended, and knows whether the disk took the last write. */
export type ObservedStore = LogStore & {
  /** True from an append that found the disk full until one that did not. */
  readonly full: boolean;
};

/** `onStored` gets events once they are durable; it must not throw. */
export function observedStore(
  store: LogStore,
  onStored: (conversationId: string, events: readonly StoredEvent[]) => void,
): ObservedStore {
  let full = false;
  return {
    async append(append) {
      try {
        const stored = await store.append(append);
        full = false;
        onStored(append.conversationId, stored);
        return stored;
      } catch (thrown) {
        full ||= thrown instanceof AppError && thrown.code === "storage_full";
        throw thrown;
      }
    },
    read: (id, after, limit) => store.read(id, after, limit),
    summary: (id) => store.summary(id),
    list: (query) => store.list(query),
    remove: (id) => store.remove(id),
    onAppend: (listener) => store.onAppend(listener),
    putBlob: (bytes) => store.putBlob(bytes),
    getBlob: (ref) => store.getBlob(ref),
    close: () => store.close(),
    get full() {
      return full;
    },
  };
}
