import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openPostgresBooks } from "../books/open-postgres-books.ts";
import { periodsOf } from "../books/periods.ts";
import { openSqliteBooks } from "../books/open-sqlite-books.ts";
import type { Books } from "../ports/books.ts";
import { readGatewayConfig } from "../config.ts";
import { startGateway } from "../program/start-gateway.ts";
import { admissionContract } from "../testing/books-admission-contract.ts";
import { codeOf } from "../testing/books-opener.ts";
import { sampleAdmission, sampleScope, sampleSettlement } from "../testing/books-samples.ts";
import { settlementContract } from "../testing/books-settlement-contract.ts";
import { topUpContract } from "../testing/books-topup-contract.ts";
import { cutProxy } from "../testing/cut-proxy.ts";
import { eventually, postgresPrograms, postgresServer, type PostgresServer } from "../testing/postgres-server.ts";
import { type RedisCluster, startRedisCluster } from "../testing/redis-cluster.ts";
import { canStartRedis, startRedis } from "../testing/redis-server.ts";
import { limitsInRedis, type RedisLimits } from "./limits-in-redis.ts";
import { redisCounters } from "./redis-counters.ts";

/** On a busy machine more than 50 ms may pass. */
const PATIENT = { withinMs: 10_000 };
const programs = postgresPrograms();
const ends: (() => Promise<void>)[] = [];
const directories = new Map<Books, { readonly directory: string; readonly namespace: string }>();
const opened: RedisLimits[] = [];
let redis: RedisCluster;
let postgres: PostgresServer | undefined;
let spaces = 0;

type Counting = { readonly namespace: string; readonly withinMs?: number; readonly callersTime?: boolean };

function counted(books: Books, counting: Counting, believedMs?: number): RedisLimits {
  const counters = redisCounters({ url: redis.url, ...PATIENT, ...counting });
  const limits = limitsInRedis(books, counters, believedMs === undefined ? {} : { believedMs });
  opened.push(limits);
  ends.push(() => limits.books.close().catch(() => undefined));
  return limits;
}

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "limits-"));
  ends.push(async () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

const newSpace = () => `t${(spaces += 1)}`;

async function inSqlite(directory: string, namespace: string, now: () => number): Promise<Books> {
  const file = join(directory, "gateway.db");
  const { books } = counted(await openSqliteBooks({ file, now }), { namespace, callersTime: true });
  directories.set(books, { directory, namespace });
  return books;
}

const open = (now: () => number) => inSqlite(newDirectory(), newSpace(), now);

/** What a kill leaves is what the files hold at that instant. Redis goes on. */
async function crash(books: Books, now: () => number): Promise<Books> {
  const { directory, namespace } = directories.get(books)!;
  const next = newDirectory();
  for (const end of ["", "-wal", "-calls"]) cpSync(join(directory, `gateway.db${end}`), join(next, `gateway.db${end}`));
  return await inSqlite(next, namespace, now);
}

const ten = { budget: { usd: 10, period: "total" } } as const;
const scope = sampleScope("key:v_1", ten);
const now = () => sampleAdmission([scope], { at: Date.now() });

async function admitMany(replicas: readonly Books[], count: number) {
  const calls = Array.from({ length: count }, now);
  const verdicts = await Promise.all(calls.map((call, index) => replicas[index % replicas.length]!.ledger.admit(call)));
  return calls.filter((_, index) => verdicts[index]?.admitted);
}

const startable = canStartRedis();
beforeAll(async () => {
  if (!startable) return;
  [redis, postgres] = await Promise.all([
    startRedisCluster(),
    programs === undefined ? undefined : postgresServer(programs),
  ]);
  await postgres?.start();
});
afterAll(async () => {
  if (startable) await redis.stop();
  await postgres?.remove();
});
afterEach(async () => {
  opened.length = 0;
  for (const end of ends.splice(0).toReversed()) await end();
});

describe.skipIf(!startable)("limits in Redis", () => {
  describe("as the books judge", () => {
    afterEach(() => {
      // The books correct Redis, and do the same without it: here it was right by itself.
      const wrong = opened
        .splice(0)
        .map(({ events }) => events())
        .filter(({ alone, differed }) => alone + differed > 0);
      expect(wrong).toEqual([]);
    });
    admissionContract("redis", { open, crash });
    topUpContract("redis", { open, crash });
    settlementContract("redis", { open, crash });
  });

  test("of 64 parallel reservations by two clients of Redis alone against a budget of ten, ten are counted", async () => {
    const [namespace, books] = [newSpace(), await open(Date.now)];
    const both = Array.from({ length: 2 }, () => redisCounters({ url: redis.url, namespace, ...PATIENT }));
    ends.push(...both.map((counters) => () => counters.close()));
    const first = await both[0]!.reserve(now());
    expect(first).toEqual({ kind: "unknown", scopes: [scope.id] });
    const [count] = await books.ledger.counts([scope.id]);
    await both[0]!.seed(count!);
    const said = await Promise.all(Array.from({ length: 64 }, (_, index) => both[index % 2]!.reserve(now())));
    expect(said.filter((each) => each?.kind === "reserved").length).toBe(10);
    expect(said.at(-1)).toEqual({
      kind: "reached",
      reached: { scope: scope.id, kind: "budget", limit: 10, remaining: 0 },
    });
  });

  test("the periods that Redis begins are those of the books, in every month and over leap days", async () => {
    const [namespace, books] = [newSpace(), await open(Date.now)];
    const counters = redisCounters({ url: redis.url, namespace, ...PATIENT, callersTime: true });
    ends.push(() => counters.close());
    const [count] = await books.ledger.counts([scope.id]);
    await counters.seed(count!);
    for (let at = Date.UTC(2027, 11, 20); at < Date.UTC(2029, 3, 2); at += 86_400_000 * 9.7) {
      const call = sampleAdmission([scope], { at: Math.floor(at), reserveNanoUsd: 0 });
      expect(await counters.reserve(call)).toMatchObject({ kind: "reserved" });
      const fields = (await redis.command("HMGET", `{${namespace}}:${scope.id}`, "day", "week", "month")) as string[];
      const { day, week, month } = periodsOf(call.at);
      expect(fields.map(Number)).toEqual([day, week, month]);
    }
  });

  test("what Redis wrongly holds neither refuses a call that fits nor lets one through that does not", async () => {
    const namespace = newSpace();
    const { books, events } = counted(await openSqliteBooks({ file: join(newDirectory(), "gateway.db") }), {
      namespace,
    });
    const key = `{${namespace}}:${scope.id}`;
    expect((await admitMany([books], 4)).length).toBe(4);
    await redis.command("HSET", key, "reserved", "10000000000");
    expect((await admitMany([books], 1)).length).toBe(1);
    expect(events()).toMatchObject({ checked: 1, differed: 1, alone: 0 });
    await eventually(async () => expect(await redis.command("EXISTS", key)).toBe(0));
    expect((await admitMany([books], 1)).length).toBe(1);
    expect(await redis.command("HGET", key, "reserved")).toBe("6000000000");
    await redis.command("HSET", key, "reserved", "0", "total_nano", "0");
    expect((await admitMany([books], 64)).length).toBe(4);
  });
});

describe.skipIf(programs === undefined || !startable)("limits in Redis over books in PostgreSQL", () => {
  async function replicas(counting: Partial<Counting> = {}, believedMs?: number): Promise<readonly RedisLimits[]> {
    const [url, namespace] = [await postgres!.database(), newSpace()];
    const one = async () => {
      const books = await openPostgresBooks({ url, callFile: join(newDirectory(), "calls"), leaseMs: 60_000 });
      return counted(books, { namespace, ...counting }, believedMs);
    };
    return [await one(), await one()];
  }
  const booksOf = (limits: readonly RedisLimits[]) => limits.map(({ books }) => books);
  const spend = async (limits: readonly RedisLimits[]) => {
    for (const books of booksOf(limits)) await books.ledger.flush();
    return (await limits[0]!.books.ledger.spend("key", {})).map(({ calls, costUsd }) => [calls, costUsd]);
  };

  test("of 64 parallel calls at two replicas against a budget of ten, ten are let through, also after Redis lost all", async () => {
    const both = await replicas({}, 60_000);
    const admitted = await admitMany(booksOf(both), 64);
    expect(admitted.length).toBe(10);
    expect(both.map(({ events }) => events().alone)).toEqual([0, 0]);
    for (const books of booksOf(both)) {
      for (const { callId } of admitted) books.ledger.settle(sampleSettlement(callId, { costUsd: 0.5 }));
    }
    expect(await spend(both)).toEqual([[10, 5]]);
    await redis.command("FLUSHALL");
    await redis.command("SCRIPT", "FLUSH");
    expect((await admitMany(booksOf(both), 64)).length).toBe(5);
    expect(await admitMany(booksOf(both), 8)).toEqual([]);
  });

  test("what is over its limit is refused by Redis while the books stand still", async () => {
    const both = await replicas({}, 60_000);
    expect((await admitMany(booksOf(both), 64)).length).toBe(10);
    // Each replica has checked one refusal.
    for (const books of booksOf(both)) expect((await books.ledger.admit(now())).admitted).toBe(false);
    postgres!.signal("SIGSTOP");
    try {
      for (const books of booksOf(both)) expect((await books.ledger.admit(now())).admitted).toBe(false);
    } finally {
      postgres!.signal("SIGCONT");
    }
  });

  test("the place of a killed replica's call is free in Redis once the books gave it back", async () => {
    const [url, namespace] = [await postgres!.database(), newSpace()];
    const proxy = await cutProxy(postgres!.port());
    const own = new URL(url);
    own.port = String(proxy.port);
    const openOn = async (at: string, leaseMs: number) => {
      const books = await openPostgresBooks({ url: at, callFile: join(newDirectory(), "calls"), leaseMs });
      return counted(books, { namespace }).books;
    };
    const [killed, other] = [await openOn(own.href, 60_000), await openOn(url, 60_000)];
    const single = sampleScope("key:v_2", { parallel: 1 });
    const admit = (books: Books) => books.ledger.admit(sampleAdmission([single], { at: Date.now() }));
    expect((await admit(killed)).admitted).toBe(true);
    expect((await admit(other)).admitted).toBe(false);
    proxy.cut();
    // To one that waits so little the killed one is gone.
    await openOn(url, 300);
    await eventually(async () => expect((await admit(other)).admitted).toBe(true));
  });

  test("the program counts in the Redis that it is given, and its readiness and metrics say when that is away", async () => {
    const server = await startRedis();
    const environment = {
      DATABASE_URL: await postgres!.database(),
      REDIS_URL: server.url,
      HANDRAIL_GATEWAY_LIMITS: "redis",
    };
    const env = {
      ...environment,
      LLM_MODEL: "up",
      HANDRAIL_HOME: newDirectory(),
      HANDRAIL_MASTER_KEY: "sk-master",
      PORT: "0",
    };
    const gateway = await startGateway(readGatewayConfig([], env), pino({ level: "silent" }));
    ends.push(
      () => gateway.close(0),
      () => server.stop(),
    );
    const headers = { authorization: "Bearer sk-master" };
    const generate = { method: "POST", headers, body: '{"max_budget":0}' };
    const made = await fetch(`${gateway.url}/key/generate`, generate);
    const { key } = (await made.json()) as { readonly key: string };
    const told = async () => {
      await fetch(`${gateway.url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}` },
        body: '{"model":"up","messages":[]}',
      });
      const ready = await fetch(`${gateway.url}/health/readiness`);
      const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
      return [ready.status, await ready.json(), /^handrail_gateway_limits_redis_up \d$/m.exec(metrics)?.[0]];
    };
    const healthy = (limits: string) => ({ status: "healthy", db: "connected", limits });
    await eventually(async () =>
      expect(await told()).toEqual([200, healthy("redis"), "handrail_gateway_limits_redis_up 1"]),
    );
    await server.stop();
    await eventually(async () =>
      expect(await told()).toEqual([200, healthy("books"), "handrail_gateway_limits_redis_up 0"]),
    );
  });

  test("Redis that stands still, and is killed in the middle of calls, fails none and lets none through twice", async () => {
    const both = await replicas({ withinMs: 50 });
    expect((await admitMany(booksOf(both), 3)).length).toBe(3);
    redis.signal("SIGSTOP");
    expect((await admitMany(booksOf(both), 3)).length).toBe(3);
    expect(both[0]!.trouble()).toContain("does not answer");
    redis.signal("SIGCONT");
    const calls = admitMany(booksOf(both), 64);
    await redis.stop();
    expect((await calls).length).toBe(4);
    expect(await codeOf(both[1]!.books.ledger.admit(now()))).toBe(undefined);
    expect(await admitMany(booksOf(both), 8)).toEqual([]);
    expect(both.map(({ books }) => books.trouble())).toEqual([undefined, undefined]);
  });
});
