import { migrateTo } from "@handrail/logs/migrate-to";
import { openSqlite } from "@handrail/logs/open-sqlite";
import { sqliteDialect } from "@handrail/logs/sqlite-dialect";
import { sqliteFailure } from "@handrail/logs/sqlite-failure";
import { Kysely } from "kysely";
import type { Keys } from "../ports/keys.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { KeyCache } from "./key-cache.ts";
import { booksMigrations } from "./migrations.ts";
import { spendQueries } from "./spend-queries.ts";
import { sqlKeys } from "./sql-keys.ts";
import type { Tables } from "./tables.ts";

/** What is asked of the books in SQLite by queries, over a connection of its own. */
export type SqliteQueries = Pick<Ledger, "spend" | "entries" | "prune"> & {
  readonly keys: Keys;
  /** @throws AppError `storage_newer` */
  migrate(): Promise<void>;
  close(): Promise<void>;
};

/**
 * `cache` is told what changes.
 * @throws AppError `storage_failed`, `storage_full`
 */
export function sqliteQueries(file: string, cache: KeyCache, now: () => number): SqliteQueries {
  const db = new Kysely<Tables>({ dialect: sqliteDialect(opened(file)) });
  return {
    ...spendQueries(db),
    keys: sqlKeys({ db, cache, trusted: () => true, changed: nobody, toFailure: sqliteFailure, now }),
    migrate: () => migrateTo(db, booksMigrations("sqlite")),
    close: () => db.destroy(),
  };
}

/** There are no other replicas to tell. */
const nobody = () => Promise.resolve();

function opened(file: string) {
  try {
    return openSqlite(file, { synchronous: "normal" });
  } catch (thrown) {
    throw sqliteFailure(thrown);
  }
}
