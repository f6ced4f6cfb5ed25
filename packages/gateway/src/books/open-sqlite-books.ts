import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { lockDirectory } from "@handrail/logs/directory-lock";
import { migrateTo } from "@handrail/logs/migrate-to";
import { openSqlite, sqliteDialect } from "@handrail/logs/sqlite-dialect";
import { sqliteFailure } from "@handrail/logs/sqlite-failure";
import { Kysely } from "kysely";
import type { Books, Ledger } from "../ports/books.ts";
import { openCallFile, readCallFile } from "./call-file.ts";
import { callLog } from "./call-log.ts";
import { keyCache } from "./key-cache.ts";
import { booksMigrations } from "./migrations.ts";
import { scopeCounters } from "./scope-counters.ts";
import { spendQueries } from "./spend-queries.ts";
import { sqlKeys } from "./sql-keys.ts";
import { sqliteJournal } from "./sqlite-journal.ts";
import { sqliteLedger } from "./sqlite-ledger.ts";
import { sqliteStatements, type SqliteStatements } from "./sqlite-statements.ts";
import type { Tables } from "./tables.ts";

/** Of 4 kB. A checkpoint waits for the disk, so it is not done often. */
const CHECKPOINT_PAGES = 4000;

export type SqliteBooksOptions = {
  /** Made, with its directory, when it does not exist. Beside it are `-wal`, `-shm`, `-calls` and the directory `.lock`. */
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

type Opened = { readonly db: Kysely<Tables>; readonly callFile: string; readonly now: () => number };

async function open(file: string, now: () => number, released: () => void): Promise<Books> {
  const db = new Kysely<Tables>({ dialect: sqliteDialect(openSqlite(file, { synchronous: "normal" })) });
  const hot = openSqlite(file, { synchronous: "normal" });
  const close = async (): Promise<void> => {
    await db.destroy();
    hot.close();
  };
  try {
    hot.exec(`pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    await migrateTo(db, booksMigrations("sqlite"));
    const { ledger, journal } = openLedger(sqliteStatements(hot), { db, callFile: `${file}-calls`, now });
    return {
      keys: sqlKeys({ db, cache: keyCache(), trusted: () => true, changed: nobody, toFailure: sqliteFailure, now }),
      ledger,
      trouble: () => journal.trouble(),
      async close() {
        try {
          journal.close();
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

/** There are no other replicas to tell. */
const nobody = () => Promise.resolve();

function openLedger(statements: SqliteStatements, { db, callFile, now }: Opened) {
  let lost = takeOver(statements, callFile, now());
  const journal = sqliteJournal(callLog(openCallFile(callFile)), (calls) => statements.write(calls));
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
    async prune(olderThan) {
      // A call that the file still had would count again after its entry was gone.
      journal.compact();
      return await queries.prune(olderThan);
    },
  };
  return { ledger, journal };
}

const TAKEN_OVER_AT_ONCE = 500;

/** Writes what an earlier process left in its file. Gives how many calls of it are lost. */
function takeOver(statements: SqliteStatements, callFile: string, at: number): number {
  const calls = readCallFile(callFile, at);
  for (let index = 0; index < calls.length; index += TAKEN_OVER_AT_ONCE) {
    statements.write(calls.slice(index, index + TAKEN_OVER_AT_ONCE));
  }
  return calls.filter(({ settlement }) => settlement.outcome === "lost").length;
}
