import { sqliteFailure } from "@handrail/logs/sqlite-failure";
import type { Keys } from "../ports/keys.ts";
import type { KeyCache } from "./key-cache.ts";
import { keyRecord, ownerRecord } from "./key-rows.ts";
import type { SqliteStatements } from "./sqlite-statements.ts";

/** What every call asks of the keys, without the query builder: that is large, and a gateway that only answers calls does without it. */
export function sqliteKeys(statements: Pick<SqliteStatements, "key" | "owner">, cache: KeyCache) {
  const keys: Pick<Keys, "find" | "owner"> = {
    async find(hash) {
      const known = cache.key(hash);
      if (known) return known;
      const row = read(() => statements.key(hash));
      const record = row && keyRecord(row, row);
      if (record) cache.rememberKey(record, cache.generation());
      return record;
    },
    async owner({ kind, id }) {
      const name = `${kind}:${id}`;
      const known = cache.owner(name);
      if (known) return known.record;
      const row = read(() => statements.owner(kind, id));
      const record = row && ownerRecord(row);
      cache.rememberOwner(name, record, cache.generation());
      return record;
    },
  };
  return keys;
}

/** @throws AppError `storage_failed` */
function read<Row>(work: () => Row): Row {
  try {
    return work();
  } catch (thrown) {
    throw sqliteFailure(thrown);
  }
}
