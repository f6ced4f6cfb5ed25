import { useSyncExternalStore } from "react";

/** One value outside React, and its readers. */
export type ValueStore<Value> = {
  readonly get: () => Value;
  readonly set: (value: Value) => void;
  readonly subscribe: (reader: () => void) => () => void;
};

/** A store that holds this value first. */
export function valueStore<Value>(first: Value): ValueStore<Value> {
  const readers = new Set<() => void>();
  let current = first;
  return {
    get: () => current,
    set(value) {
      if (Object.is(value, current)) return;
      current = value;
      for (const reader of readers) reader();
    },
    subscribe(reader) {
      readers.add(reader);
      return () => readers.delete(reader);
    },
  };
}

/** The store's value now. */
export const useValue = <Value>(store: ValueStore<Value>): Value => useSyncExternalStore(store.subscribe, store.get);
