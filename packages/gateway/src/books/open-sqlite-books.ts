import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { lockDirectory } from "@handrail/logs/directory-lock";
import { openSqlite } from "@handrail/logs/open-sqlite";
import { sqliteFailure } from "@handrail/logs/sqlite-failure";
import type { Books } from "../ports/books.ts";
import type { Ledger } from "../ports/ledger.ts";
import { openCallFile, readCallFile } from "./call-file.ts";
import { callLog } from "./call-log.ts";
import { keyCache } from "./key-cache.ts";
import { laterKeys } from "./later-keys.ts";
import { type Later, later } from "./later.ts";
import { scopeCounters } from "./scope-counters.ts";
import { sqliteKeys } from "./sqlite-keys.ts";
import { sqliteJournal } from "./sqlite-journal.ts";
import { sqliteLedger } from "./sqlite-ledger.ts";
import type { SqliteQueries } from "./sqlite-queries.ts";
import { bringSchema } from "./sqlite-schema.ts";
import { sqliteStatements, type SqliteStatements } from "./sqlite-statements.ts";

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

type Opened = { readonly queries: Later<SqliteQueries>; readonly callFile: string; readonly now: () => number };

async function open(file: string, now: () => number, released: () => void): Promise<Books> {
  const hot = openSqlite(file, { synchronous: "normal" });
  const cache = keyCache();
  const queries = later(async () => (await import("./sqlite-queries.ts")).sqliteQueries(file, cache, now));
  const close = async (): Promise<void> => {
    await (await queries.end())?.close();
    hot.close();
  };
  try {
    hot.exec(`pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    await bringSchema(hot, async () => (await queries.get()).migrate());
    const statements = sqliteStatements(hot);
    const { ledger, journal } = openLedger(statements, { queries, callFile: `${file}-calls`, now });
    return {
      keys: { ...laterKeys(queries), ...sqliteKeys(statements, cache) },
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

function openLedger(statements: SqliteStatements, { queries, callFile, now }: Opened) {
  let lost = takeOver(statements, callFile, now());
  const journal = sqliteJournal(callLog(openCallFile(callFile)), (calls) => statements.write(calls));
  const counters = scopeCounters(statements, now());
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
      return await (await queries.get()).spend(by, filter);
    },
    async entries(filter, page) {
      journal.flush();
      return await (await queries.get()).entries(filter, page);
    },
    async prune(olderThan) {
      // A call that the file still had would count again after its entry was gone.
      journal.compact();
      return await (await queries.get()).prune(olderThan);
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
