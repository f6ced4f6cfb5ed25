import { join } from "node:path";
import type { RedisLimits } from "../limits/limits-in-redis.ts";
import type { Books } from "../ports/books.ts";

export type BooksPlace = {
  readonly home: string;
  readonly databaseUrl: string | undefined;
  /** Where limits are counted, too. Books in SQLite count in the memory of their one process alone. */
  readonly redis: { readonly url: string; readonly namespace: string | undefined } | undefined;
};

/** `limits`: how they are counted in Redis, where they are. Closing the books closes that, too. */
export type OpenedBooks = { readonly books: Books; readonly limits?: Pick<RedisLimits, "events" | "trouble"> };

/**
 * In PostgreSQL where its address is given, and else in the state directory.
 * @throws AppError `books_unavailable`, `state_locked`, `storage_newer`, `storage_failed`, `storage_full`
 */
export async function openBooks({ home, databaseUrl, redis }: BooksPlace): Promise<OpenedBooks> {
  if (databaseUrl !== undefined) {
    const { openPostgresBooks } = await import("../books/open-postgres-books.ts");
    const books = await openPostgresBooks({ url: databaseUrl, callFile: join(home, "gateway-calls") });
    return redis === undefined ? { books } : await countedInRedis(books, redis);
  }
  const { openSqliteBooks } = await import("../books/open-sqlite-books.ts");
  return { books: await openSqliteBooks({ file: join(home, "gateway.sqlite") }) };
}

async function countedInRedis(
  books: Books,
  { url, namespace }: NonNullable<BooksPlace["redis"]>,
): Promise<OpenedBooks> {
  const { limitsInRedis } = await import("../limits/limits-in-redis.ts");
  const { redisCounters } = await import("../limits/redis-counters.ts");
  const counters = redisCounters({ url, ...(namespace !== undefined && { namespace: `${namespace}:limits` }) });
  const limits = limitsInRedis(books, counters);
  return { books: limits.books, limits };
}
