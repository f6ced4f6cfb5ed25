import { join } from "node:path";
import type { RedisLimits } from "../limits/limits-in-redis.ts";
import type { Books } from "../ports/books.ts";
import { whenThere } from "./when-there.ts";

/** `waits`: PostgreSQL that is away is waited for, for a minute, after this was told why; not at all when undefined. */
export type BooksPlace = {
  readonly home: string;
  readonly databaseUrl: string | undefined;
  readonly waits?: (reason: string) => void;
};

const WITHIN_MS = 60_000;
const EVERY_MS = 500;

/**
 * In PostgreSQL where its address is given, and else in the state directory.
 * @throws AppError `books_unavailable`, `state_locked`, `storage_newer`, `storage_failed`, `storage_full`
 */
export async function openBooks({ home, databaseUrl, waits }: BooksPlace): Promise<Books> {
  if (databaseUrl !== undefined) {
    const { openPostgresBooks } = await import("../books/open-postgres-books.ts");
    const open = () => openPostgresBooks({ url: databaseUrl, callFile: join(home, "gateway-calls") });
    return whenThere(open, { withinMs: waits ? WITHIN_MS : 0, everyMs: EVERY_MS, waits: waits ?? (() => {}) });
  }
  const { openSqliteBooks } = await import("../books/open-sqlite-books.ts");
  return openSqliteBooks({ file: join(home, "gateway.sqlite") });
}

/** `namespace`: in front of what stands in front of every key; nothing when undefined. */
export type CountingPlace = { readonly url: string; readonly namespace: string | undefined };

/** The same books, whose limits are counted in Redis too. Closing them closes both. */
export async function countedInRedis(books: Books, { url, namespace }: CountingPlace): Promise<RedisLimits> {
  const { limitsInRedis } = await import("../limits/limits-in-redis.ts");
  const { redisCounters } = await import("../limits/redis-counters.ts");
  const counters = redisCounters({ url, ...(namespace !== undefined && { namespace: `${namespace}:limits` }) });
  return limitsInRedis(books, counters);
}
