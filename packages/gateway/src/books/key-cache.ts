import { LRUCache } from "lru-cache";
import type { KeyRecord, OwnerRecord } from "../ports/keys.ts";

const ENTRIES = 10_000;

/** What is remembered of keys and owners. Owners that do not exist are remembered too: most keys' owners have no record. */
export type KeyCache = {
  key(hash: string): KeyRecord | undefined;
  owner(id: string): { readonly record: OwnerRecord | undefined } | undefined;
  /** Forgets what was changed: an entry by `key:ID`, `owner:KIND:ID`, or with undefined everything. */
  forget(what: string | undefined): void;
  /** Grows with each `forget`; what was read before must not be remembered after. */
  generation(): number;
  rememberKey(record: KeyRecord, generation: number): void;
  rememberOwner(id: string, record: OwnerRecord | undefined, generation: number): void;
};

/** At most 10,000 of each. */
export function keyCache(): KeyCache {
  const keys = new LRUCache<string, KeyRecord>({ max: ENTRIES });
  const owners = new LRUCache<string, { readonly record: OwnerRecord | undefined }>({ max: ENTRIES });
  let generation = 0;

  return {
    key: (hash) => keys.get(hash),
    owner: (id) => owners.get(id),
    generation: () => generation,
    forget(what) {
      generation++;
      if (what === undefined) {
        keys.clear();
        owners.clear();
      } else if (what.startsWith("owner:")) {
        owners.delete(what.slice("owner:".length));
      } else {
        for (const [hash, record] of keys.entries()) if (`key:${record.id}` === what) keys.delete(hash);
      }
    },
    rememberKey(record, at) {
      if (at === generation) keys.set(record.hash, record);
    },
    rememberOwner(id, record, at) {
      if (at === generation) owners.set(id, { record });
    },
  };
}
