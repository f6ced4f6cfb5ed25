import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HandWrittenProvider, handWrittenProvider } from "../testing/hand-written-provider.ts";
import { type PostgresServer, postgresPrograms, postgresServer } from "../testing/postgres-server.ts";
import { canStartRedis, type RedisServer, startRedis } from "../testing/redis-server.ts";
import { askProgram, killPrograms, PROGRAM, type StartedProgram, startProgram } from "../testing/started-program.ts";

const programs = postgresPrograms();
const MASTER = "sk-master-of-these-programs";
const CALLS = 64;
/** A dollar for a million tokens: no prompt here has more than its 100, so each call reserves less than it costs. */
const CALL_USD = 0.001;
const USAGE = { prompt_tokens: 100, completion_tokens: 900, total_tokens: 1000 };
const ANSWER = { object: "chat.completion", model: "up", choices: [{ index: 0, message: { content: "Hi" } }] };

/** How many calls were at the provider at once, and in all, since `begin`; it answers when `until` resolves. */
const served = { now: 0, peak: 0, calls: 0, until: Promise.resolve() };
const begin = (until = Promise.resolve()) => Object.assign(served, { peak: 0, calls: 0, until });

/** Refusals of a limit say which it is and when to come again; whatever was let through says where requests stand. */
function expectTold(answers: readonly Response[], limit: string): readonly Response[] {
  const admitted = answers.filter(({ status }) => status === 200);
  const refused = answers.filter(({ status }) => status === 429);
  expect(admitted.length + refused.length).toBe(answers.length);
  for (const { headers } of refused) {
    expect(headers.get("rate_limit_type")).toBe(limit);
    expect(headers.get("x-handrail-limit")).toMatch(new RegExp(`^${limit}; scope=key:v_`));
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
  }
  return admitted;
}

describe.skipIf(programs === undefined || !canStartRedis())("two gateways over PostgreSQL and Redis", () => {
  let postgres: PostgresServer;
  let redis: RedisServer;
  let provider: HandWrittenProvider;
  let replicas: readonly StartedProgram[];
  const home = mkdtempSync(join(tmpdir(), "handrail-replicas-"));

  beforeAll(async () => {
    postgres = await postgresServer(programs ?? "");
    await postgres.start();
    redis = await startRedis();
    provider = await handWrittenProvider(async (response) => {
      served.now += 1;
      served.calls += 1;
      served.peak = Math.max(served.peak, served.now);
      await served.until;
      served.now -= 1;
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ id: "c1", ...ANSWER, usage: USAGE }));
    });
    const shared = {
      DATABASE_URL: await postgres.database(),
      REDIS_URL: redis.url,
      HANDRAIL_GATEWAY_LIMITS: "redis",
      HANDRAIL_MASTER_KEY: MASTER,
      HOME: home,
      LLM_MODEL: "up",
      LLM_BASE_URL: provider.baseUrl,
      LLM_INPUT_USD_PER_MILLION: "1",
      LLM_OUTPUT_USD_PER_MILLION: "1",
    };
    replicas = await Promise.all(
      ["one", "two"].map((name) => startProgram(PROGRAM, { ...shared, HANDRAIL_HOME: join(home, name) })),
    );
  });
  afterAll(async () => {
    killPrograms();
    await Promise.all([provider.close(), redis.stop(), postgres.remove()]);
    rmSync(home, { recursive: true, force: true });
  });

  const at = (index: number) => replicas[index % 2]?.url ?? "";
  const asMaster = { authorization: `Bearer ${MASTER}`, "content-type": "application/json" };

  async function keyWith(limits: object): Promise<string> {
    const body = JSON.stringify({ key_alias: "limited", ...limits });
    const made = await fetch(`${at(0)}/key/generate`, { method: "POST", headers: asMaster, body });
    return ((await made.json()) as { readonly key: string }).key;
  }

  const ask = async (key: string, index: number): Promise<Response> => {
    const messages = [{ role: "user", content: `hi ${index}` }];
    const answer = await askProgram(at(index), { model: "up", max_tokens: 900, messages }, key);
    await answer.text();
    return answer;
  };
  const askAll = (key: string) => Promise.all(asked(key));
  const asked = (key: string) => Array.from({ length: CALLS }, (_, index) => ask(key, index));

  /** What the key has spent, as the other replica knows it. */
  async function spentBy(key: string): Promise<number> {
    const answer = await fetch(`${at(1)}/key/info?key=${key}`, { headers: asMaster });
    return ((await answer.json()) as { readonly info: { readonly spend: number } }).info.spend;
  }

  /** A replica writes what ended a moment later. */
  const settled = (key: string, usd: number) => expect.poll(() => spentBy(key)).toBeCloseTo(usd, 9);

  test("of 64 calls at once through both against a budget of ten, at most ten's worth goes through", async () => {
    const key = await keyWith({ max_budget: 10 * CALL_USD, budget_duration: "1d" });
    begin();
    const through = expectTold(await askAll(key), "budget");
    expect(through.length).toBeLessThanOrEqual(10);
    expect(through.length).toBeGreaterThanOrEqual(9);
    expect(served.calls).toBe(through.length);
    await settled(key, through.length * CALL_USD);
  });

  test("of 64 calls at once through both, as many go through as requests a minute are allowed, and each is told what is left", async () => {
    const key = await keyWith({ rpm_limit: 10 });
    const through = expectTold(await askAll(key), "requests");
    const told = (name: string) => through.map(({ headers }) => Number(headers.get(`x-ratelimit-${name}-requests`)));
    expect(told("limit")).toEqual(Array.from({ length: 10 }, () => 10));
    expect(told("remaining").toSorted((one, other) => one - other)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(through[0]?.headers.get("x-ratelimit-reset-requests")).toMatch(/^\d+s$/);
  });

  test("a key that one replica revokes is refused by the other with its next call", async () => {
    begin();
    const key = await keyWith({});
    expect((await ask(key, 1)).status).toBe(200);
    const body = JSON.stringify({ keys: [key] });
    expect((await fetch(`${at(0)}/key/delete`, { method: "POST", headers: asMaster, body })).status).toBe(200);
    await expect.poll(async () => (await ask(key, 1)).status, { interval: 5 }).toBe(401);
  });

  test("no more calls are at the provider at once than are allowed, through whichever port they come", async () => {
    const key = await keyWith({ max_parallel_requests: 5 });
    const over = Promise.withResolvers<void>();
    begin(over.promise);
    let refused = 0;
    const calls = asked(key).map(async (call) => {
      const answer = await call;
      if (answer.status === 200) return answer;
      refused += 1;
      // All others have been told; those that were let through are answered once they are at the provider.
      if (refused === CALLS - 5) {
        await expect.poll(() => served.now).toBe(5);
        over.resolve();
      }
      return answer;
    });
    expect(expectTold(await Promise.all(calls), "parallel").length).toBe(5);
    expect(served).toMatchObject({ peak: 5, calls: 5 });
  });

  test("Redis is killed in the middle: each client gets an answer or a clear no, and the budget holds", async () => {
    const key = await keyWith({ max_budget: 10 * CALL_USD, budget_duration: "1d" });
    const over = Promise.withResolvers<void>();
    begin(over.promise);
    const first = askAll(key);
    await expect.poll(() => served.calls).toBeGreaterThan(0);
    await redis.stop();
    over.resolve();
    const through = expectTold([...(await first), ...(await askAll(key))], "budget");
    expect(through.length).toBeLessThanOrEqual(10);
    expect(through.length).toBeGreaterThanOrEqual(9);
    expect(served.calls).toBe(through.length);
    await settled(key, through.length * CALL_USD);
    const ready = await fetch(`${at(0)}/health/readiness`);
    expect([ready.status, await ready.json()]).toMatchObject([200, { limits: "books" }]);
    const ping = await fetch(`${at(0)}/cache/ping`, { headers: asMaster });
    expect([ping.status, await ping.json()]).toMatchObject([503, { cache_type: "redis" }]);
  });
});
