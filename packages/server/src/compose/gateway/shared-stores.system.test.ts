import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PostgresServer, postgresPrograms, postgresServer } from "@handrail/gateway/testing/postgres-server";
import { canStartRedis, type RedisServer, startRedis } from "@handrail/gateway/testing/redis-server";
import { type ScriptedModel, startScriptedModel } from "@handrail/scripted-model/scripted-model";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type ServerFixture, serverFixture } from "../../testing/server-fixture.ts";

const programs = postgresPrograms();
const directory = mkdtempSync(join(tmpdir(), "handrail-shared-"));
const opened: ServerFixture[] = [];
let postgres: PostgresServer;
let redis: RedisServer;
let up: ScriptedModel;

afterEach(async () => {
  for (const fixture of opened.splice(0)) await fixture.close();
});

function written(name: string, text: string): string {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
}

/** A server with a state directory of its own, and this file of settings. */
async function start(file: string) {
  const fixture = await serverFixture({ argv: ["--config", file, "--metrics-public", "true"] });
  opened.push(fixture);
  const url = `http://${await fixture.listen()}`;
  return {
    fixture,
    url,
    api: async (line: string, body?: object) => {
      const [method = "", path = ""] = line.split(" ");
      const headers = { authorization: fixture.bearer.authorization, "content-type": "application/json" };
      return fetch(url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    },
    ask: (key: string) =>
      fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify({ model: "first", messages: [{ role: "user", content: "hi" }] }),
      }),
  };
}

const LITELLM = `model_list:
  - model_name: first
    litellm_params: {model: openai/up, api_base: "http://127.0.0.1:1/v1", api_key: none, max_retries: 0, timeout: 5}
  - model_name: second
    litellm_params: {model: openai/up, api_base: "os.environ/UP", api_key: none, input_cost_per_token: 0.000001}
router_settings: {fallbacks: [{first: [second]}]}
litellm_settings: {cache: true}
general_settings: {master_key: sk-master}
`;

describe.skipIf(programs === undefined || !canStartRedis())("a gateway within the server", () => {
  beforeAll(async () => {
    postgres = await postgresServer(programs ?? "");
    [redis, up] = await Promise.all([
      startRedis(),
      startScriptedModel({
        script: { name: "up", turns: [{ text: "Hello", usage: { inputTokens: 100, outputTokens: 20 } }] },
      }),
      postgres.start(),
    ]);
  });
  afterAll(async () => {
    await Promise.all([postgres.remove(), redis.stop(), up.close()]);
    rmSync(directory, { recursive: true });
  });

  test("serves a LiteLLM's file, with books in PostgreSQL and limits and answers in Redis that two servers share", async () => {
    const models = written("litellm.yaml", LITELLM.replace("os.environ/UP", up.baseUrl));
    const settings = `gateway-config: ${models}
gateway-database-url: ${await postgres.database()}
gateway-redis-url: ${redis.url}
gateway-limits: redis
`;
    const here = await start(written("handrail.yaml", settings));
    const made = await here.api("POST /api/gateway/keys", { name: "ci", limits: { requestsPerMinute: 3 } });
    const { key, info } = (await made.json()) as { readonly key: string; readonly info: { readonly id: string } };
    const first = await here.ask(key);
    expect([first.status, first.headers.get("x-litellm-attempted-fallbacks")]).toEqual([200, "1"]);
    expect(first.headers.get("x-handrail-cache")).toBe("miss");
    const listed = (await (await here.api("GET /api/gateway/models")).json()) as { readonly models: { id: string }[] };
    expect(listed.models).toMatchObject([
      { name: "first", source: "configuration", hasKey: true },
      { name: "second", source: "configuration", prices: { inputUsdPerMillion: 1 } },
    ]);
    expect((await here.api(`DELETE /api/gateway/models/${listed.models[0]?.id}`)).status).toBe(403);
    expect(existsSync(join(here.fixture.config.home, "gateway.sqlite"))).toBe(false);

    const there = await start(written("handrail.yaml", settings));
    const again = await there.ask(key);
    expect([again.status, again.headers.get("x-handrail-cache")]).toEqual([200, "hit"]);
    expect((await here.ask(key)).status).toBe(200);
    const refused = await there.ask(key);
    expect([refused.status, refused.headers.get("rate_limit_type")]).toEqual([429, "requests"]);
    expect(await (await fetch(`${there.url}/metrics`)).text()).toMatch(/^handrail_gateway_limits_redis_up 1$/m);
    const master = await there.ask("sk-master");
    expect(master.status).toBe(200);
    const spend = await there.api("GET /api/gateway/spend?by=key");
    const { rows } = (await spend.json()) as { readonly rows: readonly { readonly group: string }[] };
    expect(rows.find(({ group }) => group === info.id)).toMatchObject({ calls: 3, cached: 2, promptTokens: 300 });
    expect(rows.map(({ group }) => group).toSorted()).toEqual(["master", info.id]);
  });

  test("does not start where limits are to be counted in a Redis that is not named", async () => {
    const file = written("handrail.yaml", "gateway-limits: redis\n");
    await expect(serverFixture({ argv: ["--config", file] })).rejects.toMatchObject({ code: "config_invalid" });
  });
});
