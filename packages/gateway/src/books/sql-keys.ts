import { AppError } from "@handrail/protocol/errors";
import { newId } from "@handrail/protocol/ids";
import type { Kysely } from "kysely";
import type { KeyRecord, Keys, NewKey } from "../ports/keys.ts";
import type { KeyCache } from "./key-cache.ts";
import { findRecord, insertKey, listRecords, recordOf, replaceHash, type NewHash } from "./key-queries.ts";
import { changedColumns, newKeyRow, ownerRecord, ownerRow } from "./key-rows.ts";
import { hashKey, keyHint, newKeyText } from "./key-text.ts";
import type { Tables } from "./tables.ts";

/** What differs between the databases that keys are in. Each write is one statement, so none needs a transaction. */
export type KeyDatabase = {
  readonly db: Kysely<Tables>;
  readonly cache: KeyCache;
  /** False while a change by another replica could have been missed: then the database is asked first. */
  readonly trusted: () => boolean;
  /** Tells the other replicas: see `KeyCache.forget`. */
  readonly changed: (what: string) => Promise<void>;
  /** Gives what the driver threw its code. */
  readonly toFailure: (thrown: unknown) => AppError;
  readonly now: () => number;
};

/** `Keys` over SQL. */
export function sqlKeys(database: KeyDatabase): Keys {
  return guarded(
    { ...found(database), ...made(database), ...changing(database), ...owned(database) },
    database.toFailure,
  );
}

/** What every call asks for: from the cache when it is known there. */
function found({ db, cache, trusted }: KeyDatabase): Pick<Keys, "find" | "owner" | "get" | "list"> {
  return {
    async find(hash) {
      const cached = cache.key(hash);
      if (cached && trusted()) return cached;
      const generation = cache.generation();
      try {
        const record = await findRecord(db, hash);
        if (record) cache.rememberKey(record, generation);
        return record;
      } catch (thrown) {
        if (cached) return cached;
        throw thrown;
      }
    },
    async owner({ kind, id }) {
      const name = `${kind}:${id}`;
      const cached = cache.owner(name);
      if (cached && trusted()) return cached.record;
      const generation = cache.generation();
      try {
        const query = db.selectFrom("owners").selectAll().where("kind", "=", kind).where("id", "=", id);
        const row = await query.executeTakeFirst();
        const record = row && ownerRecord(row);
        cache.rememberOwner(name, record, generation);
        return record;
      } catch (thrown) {
        if (cached) return cached.record;
        throw thrown;
      }
    },
    get: (id) => recordOf(db, id),
    list: () => listRecords(db),
  };
}

function made(database: KeyDatabase): Pick<Keys, "create" | "adopt"> {
  const { db, now } = database;
  const insert = async (wanted: NewKey, opener: Pick<NewHash, "hash" | "hint">): Promise<boolean> => {
    const createdAt = now();
    const row = newKeyRow(newId("v", createdAt), wanted, createdAt);
    const inserted = await insertKey(db, row, opener);
    await tell(database, `key:${row.id}`);
    return inserted;
  };
  const opened = async (hash: string): Promise<KeyRecord> => {
    const record = await findRecord(db, hash);
    if (record === undefined) throw new AppError("internal", "A key that was written cannot be read.");
    return record;
  };
  return {
    async create(wanted, key = newKeyText()) {
      const hash = hashKey(key);
      const taken = await findRecord(db, hash);
      if (taken !== undefined || !(await insert(wanted, { hash, hint: keyHint(key) }))) {
        throw new AppError("bad_request", "This key exists already. Choose another one.");
      }
      return { key, record: await opened(hash) };
    },
    async adopt({ hash, hint, ...wanted }) {
      const known = await findRecord(db, hash);
      if (known !== undefined) return known;
      await insert(wanted, { hash, hint });
      return await opened(hash);
    },
  };
}

function changing(database: KeyDatabase): Pick<Keys, "change" | "rotate" | "revoke"> {
  const { db, now } = database;
  const known = async (id: string): Promise<KeyRecord> => {
    const record = await recordOf(db, id);
    if (record === undefined) throw new AppError("key_not_found", "There is no key with this id.", { id });
    return record;
  };
  return {
    async change(id, change) {
      await known(id);
      const columns = changedColumns(change);
      if (Object.keys(columns).length > 0) await db.updateTable("keys").set(columns).where("id", "=", id).execute();
      await tell(database, `key:${id}`);
      return await known(id);
    },
    async rotate(id, oldUntil) {
      await known(id);
      const key = newKeyText();
      await replaceHash(db, { id, hash: hashKey(key), hint: keyHint(key) }, { at: now(), oldUntil });
      await tell(database, `key:${id}`);
      return { key, record: await known(id) };
    },
    async revoke(id) {
      const unset = db.updateTable("keys").set({ revoked_at: now() }).where("revoked_at", "is", null);
      await unset.where("id", "=", id).execute();
      await tell(database, `key:${id}`);
      return await known(id);
    },
  };
}

function owned(database: KeyDatabase): Pick<Keys, "owners" | "saveOwner"> {
  const { db } = database;
  return {
    async owners(kind) {
      const rows = await db.selectFrom("owners").selectAll().where("kind", "=", kind).orderBy("id").execute();
      return rows.map(ownerRecord);
    },
    async saveOwner(record) {
      const row = ownerRow(record);
      const { kind, id, ...rest } = row;
      const insertion = db.insertInto("owners").values(row);
      await insertion.onConflict((it) => it.columns(["kind", "id"]).doUpdateSet(rest)).execute();
      await tell(database, `owner:${kind}:${id}`);
    },
  };
}

async function tell({ cache, changed }: KeyDatabase, what: string): Promise<void> {
  cache.forget(what);
  await changed(what);
  // Whoever asked while the change was being told may have remembered what was before it.
  cache.forget(what);
}

/** The same functions, whose failures have codes. */
function guarded(keys: Keys, toFailure: (thrown: unknown) => AppError): Keys {
  const guard =
    <Given extends readonly unknown[], Result>(work: (...given: Given) => Promise<Result>) =>
    async (...given: Given): Promise<Result> => {
      try {
        return await work(...given);
      } catch (thrown) {
        throw thrown instanceof AppError ? thrown : toFailure(thrown);
      }
    };
  return Object.fromEntries(Object.entries(keys).map(([name, work]) => [name, guard(work as never)])) as Keys;
}
