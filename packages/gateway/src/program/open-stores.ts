import { AppError } from "@handrail/protocol/errors";
import { openSharedCache } from "../cache/open-cache.ts";
import { type Guard, type GuardSettings, openGuard } from "../guard/open-guard.ts";
import type { RedisLimits } from "../limits/limits-in-redis.ts";
import type { Books } from "../ports/books.ts";
import { openTraces, type Traces } from "../trace/open-traces.ts";
import type { TraceSettings } from "../trace/trace-settings.ts";
import type { Log } from "./json-log.ts";
import type { Stores } from "./gateway-over.ts";
import { countedInRedis, openBooks } from "./open-books.ts";
import type { Places } from "./places.ts";

/** Where everything is that outlives calls. Undefined means not set. */
export type StoreSettings = {
  readonly home: string;
  readonly databaseUrl: string | undefined;
  readonly redisUrl: string | undefined;
  /** `books`, or `redis` before them. */
  readonly limits: string;
  readonly guard: GuardSettings;
  readonly traces: TraceSettings | undefined;
};

/** What of a configuration file concerns them; what `StoreSettings` say wins. */
export type StorePlaces = Pick<Places, "cache" | "general">;

export type OpenStores = Stores & {
  /** Writes the books; what cannot be written is kept for the next start. */
  close(): Promise<void>;
};

export type StoreAddresses = Pick<StoreSettings, "databaseUrl" | "redisUrl">;

/** What is set, else what the file says. @throws AppError `config_invalid` where limits are to be counted in Redis and one is missing */
export function storeAddresses(
  settings: StoreAddresses & Pick<StoreSettings, "limits">,
  places: StorePlaces,
): StoreAddresses {
  const databaseUrl = settings.databaseUrl ?? places.general.databaseUrl;
  const redisUrl = settings.redisUrl ?? places.cache.redisUrl;
  if (settings.limits !== "redis" || (databaseUrl !== undefined && redisUrl !== undefined))
    return { databaseUrl, redisUrl };
  const message =
    "HANDRAIL_GATEWAY_LIMITS is redis: that needs PostgreSQL for the books, and Redis. Give both addresses.";
  throw new AppError("config_invalid", message);
}

/**
 * Opens books, limits, cached answers, guard and traces: the one way for the gateway alone and within the server. Reservations of
 * processes that ended are settled from time to time, and old calls go.
 * @throws AppError `config_invalid`, `books_unavailable`, `state_locked`, `storage_newer`, `storage_failed`, `storage_full`
 */
export async function openStores(settings: StoreSettings, places: StorePlaces, log: Log): Promise<OpenStores> {
  const addresses = storeAddresses(settings, places);
  const { redisUrl } = addresses;
  const guard = await openGuard(settings.guard, { home: settings.home, log });
  const traces = await openTraces(settings.traces, { log });
  const { books, limits } = await openLimits(settings, { places, addresses, log }).catch(async (thrown: unknown) => {
    await closeWatchers({ guard, traces });
    throw thrown;
  });
  const cache = await openSharedCache({ ...places.cache, ...(redisUrl !== undefined && { redisUrl }) });
  const keeping = keepHouse(books, places, log);
  return {
    books,
    cache,
    guard,
    traces,
    ...(limits && { limits }),
    async close() {
      keeping.stop();
      await cache.answers.close();
      await guard.close();
      await books.close();
      await traces.close(TRACES_MS);
    },
  };
}

/** A receiver that is away does not keep the program from ending. */
const TRACES_MS = 2000;

async function closeWatchers({ guard, traces }: { readonly guard: Guard; readonly traces: Traces }): Promise<void> {
  await guard.close();
  await traces.close(TRACES_MS);
}

type Opened = { readonly books: Books; readonly limits?: RedisLimits };
type Opening = { readonly places: StorePlaces; readonly addresses: StoreAddresses; readonly log: Log };

/** The books, and how their limits are counted in Redis where that is asked for. */
async function openLimits(settings: StoreSettings, { places, addresses, log }: Opening): Promise<Opened> {
  const { databaseUrl, redisUrl } = addresses;
  const waits = (reason: string) => log.warn({ reason }, "PostgreSQL is away and is waited for, for a minute at most");
  const place = { home: settings.home, databaseUrl, waits };
  if (settings.limits !== "redis" || redisUrl === undefined) return { books: await openBooks(place) };
  const books = await openBooks(place);
  try {
    const limits = await countedInRedis(books, { url: redisUrl, namespace: places.cache.namespace });
    return { books: limits.books, limits };
  } catch (thrown) {
    await books.close();
    throw thrown;
  }
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function keepHouse({ ledger }: Books, { general: { retentionDays } }: StorePlaces, log: Log) {
  const once = async () => {
    const lost = await ledger.reconcile();
    if (lost > 0) log.warn({ calls: lost }, "calls of a process that ended were settled at what was reserved for them");
    if (retentionDays !== undefined) await ledger.prune(Date.now() - retentionDays * DAY_MS);
  };
  const tick = () => {
    once().catch((thrown: unknown) => log.warn({ err: thrown }, "the books cannot be tidied"));
  };
  const timer = setInterval(tick, HOUR_MS).unref();
  tick();
  return { stop: () => clearInterval(timer) };
}
