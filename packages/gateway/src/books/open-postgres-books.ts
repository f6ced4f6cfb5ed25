import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { lockDirectory } from "@handrail/logs/directory-lock";
import { migrateTo } from "@handrail/logs/migrate-to";
import { AppError } from "@handrail/protocol/errors";
import { newId } from "@handrail/protocol/ids";
import { Kysely, PostgresDialect } from "kysely";
import type { Books } from "../ports/books.ts";
import type { Ledger } from "../ports/ledger.ts";
import { booksUnavailable } from "./books-unavailable.ts";
import { openCallFile, readCallFile } from "./call-file.ts";
import { callLog } from "./call-log.ts";
import { keyCache } from "./key-cache.ts";
import { booksMigrations } from "./migrations.ts";
import { postgresLedger } from "./postgres-ledger.ts";
import { postgresPresence } from "./postgres-presence.ts";
import { postgresQueue } from "./postgres-queue.ts";
import { deadReservations, forgetReplicas } from "./postgres-reservations.ts";
import { boundedPool, makeSchema, type PoolLimits } from "./postgres-session.ts";
import { lostCall } from "./settled-call.ts";
import { spendQueries } from "./spend-queries.ts";
import { sqlKeys } from "./sql-keys.ts";
import type { Tables } from "./tables.ts";

/** For what every call asks; a call that waits longer is refused. */
const CALLS: PoolLimits = { max: 4, withinMs: 2000 };
const REPORTS: PoolLimits = { max: 2, withinMs: 20_000 };
const MIGRATIONS: PoolLimits = { max: 2, withinMs: 15 * 60_000 };
const FILE_BYTES = 4_000_000;

export type PostgresBooksOptions = {
  /** `postgres://…`; a direct one, since a pooler that shares sessions cannot carry notifications. */
  readonly url: string;
  /** Where this replica keeps calls that PostgreSQL does not know the end of; its own, beside it the directory `.lock`. */
  readonly callFile: string;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
  /** After how long without a sign of life a replica's calls become lost, in milliseconds; a minute when undefined. */
  readonly leaseMs?: number;
};

/**
 * The books in PostgreSQL 15 or newer, in the schema `handrail`, for any number of replicas. What an earlier process left in the file is written
 * first. While PostgreSQL is away nothing is let through, and what ends is kept in the file and written later.
 * @throws AppError `books_unavailable`, `state_locked`, `storage_newer`
 */
export async function openPostgresBooks(options: PostgresBooksOptions): Promise<Books> {
  mkdirSync(dirname(options.callFile), { recursive: true, mode: 0o700 });
  const lock = lockDirectory(`${options.callFile}.lock`);
  try {
    await migrate(options.url);
    return await open(options, () => lock.release());
  } catch (thrown) {
    lock.release();
    throw toFailure(thrown);
  }
}

const toFailure = (thrown: unknown): AppError => (thrown instanceof AppError ? thrown : booksUnavailable(thrown));

const database = (url: string, limits: PoolLimits): Kysely<Tables> =>
  new Kysely<Tables>({ dialect: new PostgresDialect({ pool: boundedPool(url, limits) }) });

async function migrate(url: string): Promise<void> {
  await makeSchema(url);
  const db = database(url, MIGRATIONS);
  try {
    await migrateTo(db, booksMigrations("postgres"));
  } finally {
    await db.destroy();
  }
}

async function open(options: PostgresBooksOptions, released: () => void): Promise<Books> {
  const { url, callFile, now = Date.now, leaseMs = 60_000 } = options;
  const [db, reports] = [database(url, CALLS), database(url, REPORTS)];
  const replica = newId("v", now());
  const cache = keyCache();
  const presence = postgresPresence({ url, replica, leaseMs, changed: (what) => cache.forget(what) });
  const queue = postgresQueue({ db, replica, now });
  const end = async (leaves: boolean): Promise<void> => {
    queue.stop();
    await presence.close(leaves);
    await Promise.all([db.destroy(), reports.destroy()]);
  };
  try {
    await presence.ready();
    for (const call of readCallFile(callFile, now())) queue.settle(call);
    await queue.flush();
  } catch (thrown) {
    await end(false);
    throw thrown;
  }
  const log = callLog(openCallFile(callFile));
  const upkeep = keepUp({ db, presence, queue, log, now, leaseMs });
  return {
    keys: sqlKeys({ db, cache, trusted: presence.trusted, changed: nobody, toFailure, now }),
    ledger: {
      ...postgresLedger({ queue, log, db, now }),
      ...reporting(queue, spendQueries(reports)),
      reconcile: async () => {
        await upkeep.reconcile();
        return queue.takeLost();
      },
    },
    trouble: () => log.trouble() ?? queue.trouble() ?? (presence.trusted() ? undefined : AWAY),
    async close() {
      upkeep.stop();
      const written = await queue.flush().then(
        () => true,
        () => false,
      );
      await end(written);
      // What could not be written stays in the file for the next start.
      log.close();
      released();
    },
  };
}

const AWAY = "The connection to PostgreSQL is lost.";

/** A trigger tells the replicas, in the transaction of the change. */
const nobody = () => Promise.resolve();

type UpkeepParts = {
  readonly db: Kysely<Tables>;
  readonly presence: ReturnType<typeof postgresPresence>;
  readonly queue: ReturnType<typeof postgresQueue>;
  readonly log: ReturnType<typeof callLog>;
  readonly now: () => number;
  readonly leaseMs: number;
};

/** Settles what dead replicas left, and lets the file begin again. */
function keepUp({ db, presence, queue, log, now, leaseMs }: UpkeepParts) {
  const reconcile = async (): Promise<void> => {
    // After PostgreSQL was away the others need time to be heard of again.
    if (presence.steadyMs() < leaseMs / 2) return;
    try {
      for (;;) {
        const dead = await deadReservations(db, leaseMs);
        if (dead.length === 0) break;
        for (const call of dead) queue.settle(lostCall(call, now()));
        await queue.flush();
      }
      await forgetReplicas(db, leaseMs);
    } catch (thrown) {
      throw toFailure(thrown);
    }
  };
  const timer = setInterval(() => {
    if (queue.waiting() === 0 && log.bytes() > FILE_BYTES) log.restart();
    void reconcile().catch(() => undefined);
  }, leaseMs / 3);
  return { reconcile, stop: () => clearInterval(timer) };
}

/** Reports that count what this replica settled. */
function reporting(
  queue: ReturnType<typeof postgresQueue>,
  queries: ReturnType<typeof spendQueries>,
): Pick<Ledger, "flush" | "spend" | "entries" | "prune"> {
  const answered = async <Value>(work: () => Promise<Value>): Promise<Value> => {
    await queue.flush();
    return await work().catch((thrown: unknown) => Promise.reject(toFailure(thrown)));
  };
  return {
    flush: () => queue.flush(),
    spend: (by, filter) => answered(() => queries.spend(by, filter)),
    entries: (filter, page) => answered(() => queries.entries(filter, page)),
    prune: (olderThan) => answered(() => queries.prune(olderThan)),
  };
}
