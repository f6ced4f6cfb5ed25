import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { lockDirectory } from "@handrail/logs/directory-lock";
import { migrateTo } from "@handrail/logs/migrate-to";
import { openSqlite, sqliteDialect } from "@handrail/logs/sqlite-dialect";
import { sqliteFailure } from "@handrail/logs/sqlite-failure";
import { Kysely } from "kysely";
import type { Books, Ledger } from "../ports/books.ts";
import { keyCache } from "./key-cache.ts";
import { booksMigrations } from "./migrations.ts";
import { scopeCounters } from "./scope-counters.ts";
import { spendQueries } from "./spend-queries.ts";
import { sqlKeys } from "./sql-keys.ts";
import { sqliteJournal } from "./sqlite-journal.ts";
import { settleAbandoned, sqliteLedger } from "./sqlite-ledger.ts";
import { sqliteStatements, type SqliteStatements } from "./sqlite-statements.ts";
import type { Tables } from "./tables.ts";

/** Of 4 kB. A checkpoint waits for the disk, so it is not done often. */
const CHECKPOINT_PAGES = 4000;

export type SqliteBooksOptions = {
  /** Made, with its directory, when it does not exist. Beside it are `-wal`, `-shm` and the directory `.lock`. */
  readonly file: string;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
};

/**
 * The books in one SQLite file, for one process at a time. Reservations that an earlier process left are settled as lost.
 * A write survives the end of the process; the last ones may be gone after the machine lost power (`synchronous` normal).
 * @throws AppError `state_locked`, `storage_newer`, `storage_failed`, `storage_full`
 */
export async function openSqliteBooks({ file, now = Date.now }: SqliteBooksOptions): Promise<Books> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const lock = lockDirectory(`${file}.lock`);
  try {
    return await open(file, now, () => lock.release());
  } catch (thrown) {
    lock.release();
    throw sqliteFailure(thrown);
  }
}

async function open(file: string, now: () => number, released: () => void): Promise<Books> {
  const db = new Kysely<Tables>({ dialect: sqliteDialect(openSqlite(file, { synchronous: "normal" })) });
  const hot = openSqlite(file, { synchronous: "normal" });
  hot.exec(`pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  const close = async (): Promise<void> => {
    await db.destroy();
    hot.close();
  };
  try {
    await migrateTo(db, booksMigrations("sqlite"));
    const { ledger, trouble } = openLedger(sqliteStatements(hot), db, now);
    const nothing = () => Promise.resolve();
    const keys = sqlKeys({
      db,
      cache: keyCache(),
      trusted: () => true,
      changed: nothing,
      toFailure: sqliteFailure,
      now,
    });
    return {
      keys,
      ledger,
      trouble,
      async close() {
        try {
          await ledger.flush();
        } finally {
          await close();
          released();
        }
      },
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

function openLedger(statements: SqliteStatements, db: Kysely<Tables>, now: () => number) {
  const processId = randomUUID();
  let lost = settleAbandoned(statements, processId, now());
  const journal = sqliteJournal(statements, processId);
  const counters = scopeCounters(statements, now());
  const queries = spendQueries(db);
  const ledger: Ledger = {
    ...sqliteLedger({ journal, counters, now }),
    async flush() {
      journal.flush();
    },
    async reconcile() {
      const count = lost;
      lost = 0;
      return count;
    },
    async spend(by, filter) {
      journal.flush();
      return await queries.spend(by, filter);
    },
    async entries(filter, page) {
      journal.flush();
      return await queries.entries(filter, page);
    },
    prune: (olderThan) => queries.prune(olderThan),
  };
  return { ledger, trouble: () => journal.trouble() };
}
