import type { Server } from "node:http";
import { AppError } from "@handrail/protocol/errors";
import type { Logger } from "pino";
import { openSharedCache } from "../cache/open-cache.ts";
import type { GatewayConfig } from "../config.ts";
import type { Gateway } from "../gateway.ts";
import { openGuard } from "../guard/open-guard.ts";
import type { RedisLimits } from "../limits/limits-in-redis.ts";
import type { Books } from "../ports/books.ts";
import { openTraces } from "../trace/open-traces.ts";
import { gatewayOver, type Stores } from "./gateway-over.ts";
import { addressOf, listen } from "./listen.ts";
import { type MasterKey, masterKeyIn, withMasterKey } from "./master-key.ts";
import { countedInRedis, openBooks } from "./open-books.ts";
import { type Places, readPlaces } from "./places.ts";

/** A gateway that listens on a port of its own. */
export type RunningGateway = {
  readonly url: string;
  readonly masterKey: MasterKey;
  /** Answers what is under way for at most that long, and writes the books. */
  close(graceMs: number): Promise<void>;
};

/** @throws AppError `config_invalid`, `port_taken`, `state_locked`, and what opening the books throws */
export async function startGateway(config: GatewayConfig, log: Logger): Promise<RunningGateway> {
  const places = await readPlaces(config);
  for (const warning of places.warnings) log.warn(warning);
  const masterKey = masterKeyIn(config.home, config.masterKey ?? places.general.masterKey);
  const redisUrl = config.redisUrl ?? places.cache.redisUrl;
  const guard = await openGuard(config.guard, { home: config.home, log });
  const traces = await openTraces(config.traces, { log });
  const { books: opened, limits } = await openLimits(config, { places, redisUrl, log });
  const books = withMasterKey(opened, masterKey.key);
  try {
    const cache = await openSharedCache({ ...places.cache, ...(redisUrl !== undefined && { redisUrl }) });
    const gateway = gatewayOver(places, { books, cache, guard, traces, ...(limits && { limits }) }, log);
    const server = await listen(gateway, config.host, config.port);
    const keeping = keepHouse(books, places, log);
    const close = async (graceMs: number) => {
      keeping.stop();
      await ended({ server, gateway, books, cache, guard, traces }, graceMs);
    };
    return { url: addressOf(server), masterKey, close };
  } catch (thrown) {
    await books.close();
    throw thrown;
  }
}

type Opened = { readonly books: Books; readonly limits?: RedisLimits };

type Opening = { readonly places: Places; readonly redisUrl: string | undefined; readonly log: Logger };

/** The books, and how their limits are counted in Redis where that is asked for. */
async function openLimits(config: GatewayConfig, { places, redisUrl, log }: Opening): Promise<Opened> {
  const databaseUrl = config.databaseUrl ?? places.general.databaseUrl;
  const waits = (reason: string) => log.warn({ reason }, "PostgreSQL is away and is waited for, for a minute at most");
  const place = { home: config.home, databaseUrl, waits };
  if (config.limits !== "redis") return { books: await openBooks(place) };
  if (redisUrl === undefined || databaseUrl === undefined) {
    const message = "HANDRAIL_GATEWAY_LIMITS is redis: that needs DATABASE_URL for the books, and REDIS_URL.";
    throw new AppError("config_invalid", message);
  }
  const books = await openBooks(place);
  try {
    const limits = await countedInRedis(books, { url: redisUrl, namespace: places.cache.namespace });
    return { books: limits.books, limits };
  } catch (thrown) {
    await books.close();
    throw thrown;
  }
}

type Parts = Stores & { readonly server: Server; readonly gateway: Gateway };

async function ended({ server, gateway, books, cache, guard, traces }: Parts, graceMs: number): Promise<void> {
  server.close();
  server.closeIdleConnections();
  await gateway.close(graceMs);
  server.closeAllConnections();
  await cache.answers.close();
  await guard.close();
  // It writes what is settled; what cannot be written is kept for the next start.
  await books.close();
  await traces.close(TRACES_MS);
}

/** A receiver that is away does not keep the program from ending. */
const TRACES_MS = 2000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What is done from time to time: reservations of processes that ended are settled, and old calls go. */
function keepHouse({ ledger }: Books, { general: { retentionDays } }: Places, log: Logger) {
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
