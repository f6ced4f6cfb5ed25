import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hashKey } from "../books/key-text.ts";
import { readGatewayConfig } from "../config.ts";
import { postgresPrograms, postgresServer, type PostgresServer } from "../testing/postgres-server.ts";
import { scripted } from "../testing/gateway-fixture.ts";
import { askProgram, killPrograms, PROGRAM, startProgram } from "../testing/started-program.ts";
import { importKeys } from "./import-keys.ts";
import { startGateway } from "./start-gateway.ts";

const programs = postgresPrograms();
const MASTER = "sk-master-of-these-programs";
const OLD = "sk-made-by-litellm";

/** As LiteLLM's own schema, less the columns that nobody asks for. */
const LITELLM = `
create table "LiteLLM_VerificationToken" (
  token text primary key, key_name text, key_alias text, models text[], expires timestamp(3), user_id text, team_id text,
  max_parallel_requests integer, metadata jsonb default '{}', blocked boolean, tpm_limit bigint, rpm_limit bigint,
  max_budget double precision, budget_duration text, budget_id text);
create table "LiteLLM_TeamTable" (
  team_id text primary key, team_alias text, models text[], max_budget double precision, budget_duration text,
  blocked boolean default false, tpm_limit bigint, rpm_limit bigint);
insert into "LiteLLM_TeamTable" (team_id, team_alias, models, max_budget, budget_duration)
  values ('core', 'Core', '{}', 20, '30d');
insert into "LiteLLM_VerificationToken" (token, key_name, key_alias, models, expires, team_id, rpm_limit)
  values ('${hashKey(OLD)}', 'sk-...ellm', 'ci', '{up}', '2099-01-01', 'core', 60)`;

describe.skipIf(programs === undefined)("the program with books in PostgreSQL", () => {
  let server: PostgresServer;
  let home = "";
  let url = "";
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "handrail-gateway-"));
    server = await postgresServer(programs ?? "");
    await server.start();
    url = await server.database();
  });
  afterAll(async () => {
    await server.remove();
    rmSync(home, { recursive: true, force: true });
  });

  const environment = () => ({
    DATABASE_URL: url,
    HANDRAIL_HOME: home,
    HANDRAIL_MASTER_KEY: MASTER,
    LLM_MODEL: "up",
    PORT: "0",
  });

  test("keys out of a LiteLLM's database work, and a start waits for PostgreSQL that is away", async () => {
    const litellm = await server.database();
    const client = new Client({ connectionString: litellm });
    await client.connect();
    await client.query(LITELLM);
    await client.end();
    const file = join(home, "address");
    writeFileSync(file, `${litellm}\n`);
    const taken = { keys: 1, known: 0, users: 0, teams: 1, left: [] };
    expect(await importKeys(["--from", file], environment())).toEqual(taken);

    await server.stop();
    await expect(importKeys(["--from", file], environment())).rejects.toMatchObject({ code: "books_unavailable" });
    const waiting = Promise.withResolvers<string>();
    const log = pino({ level: "warn" }, { write: (line) => waiting.resolve(line) });
    const starting = startGateway(readGatewayConfig([], environment()), log);
    expect(JSON.parse(await waiting.promise)).toMatchObject({
      msg: "PostgreSQL is away and is waited for, for a minute at most",
      reason: expect.stringContaining("ECONNREFUSED") as string,
    });
    await server.start();
    const gateway = await starting;
    const ask = (key: string) =>
      fetch(`${gateway.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } }).then(({ status }) => status);
    expect(await Promise.all([OLD, "sk-other"].map(ask))).toEqual([200, 401]);
    await gateway.close(0);
  });

  test("a replica is killed in the middle of an answer, and each call is billed once when it is back", async () => {
    const books = await server.database();
    const usage = { inputTokens: 100, outputTokens: 20 };
    const up = await scripted({ text: "Hello", usage }, { text: "Slowly then", chunkSize: 1, chunkDelayMs: 60_000 });
    const own = (name: string) => ({
      DATABASE_URL: books,
      HANDRAIL_HOME: join(home, name),
      HANDRAIL_MASTER_KEY: MASTER,
      HOME: home,
      LLM_MODEL: "up",
      LLM_BASE_URL: up.baseUrl,
      LLM_INPUT_USD_PER_MILLION: "1",
      LLM_OUTPUT_USD_PER_MILLION: "2",
    });
    try {
      const [killed, other] = await Promise.all(["one", "two"].map((name) => startProgram(PROGRAM, own(name))));
      const messages = [{ role: "user", content: "hi" }];
      await (await askProgram(killed!.url, { model: "up", messages }, MASTER)).text();
      const longer = [...messages, { role: "assistant", content: "Hello" }, ...messages];
      const body = { model: "up", stream: true, max_tokens: 50, messages: longer };
      const reader = (await askProgram(killed!.url, body, MASTER)).body!.getReader();
      await reader.read();
      await killed!.ends("SIGKILL");
      await expect(reader.read()).rejects.toThrow();
      await (await askProgram(other!.url, { model: "up", messages }, MASTER)).text();
      const back = await startProgram(PROGRAM, own("one"));
      expect([(await back.ends("SIGTERM")).code, (await other!.ends("SIGTERM")).code]).toEqual([0, 0]);

      const client = new Client({ connectionString: books });
      await client.connect();
      const usd = "(entry::json->>'costUsd')::float8";
      const billed = await client.query(`select outcome, ${usd} as usd from handrail.ledger order by outcome`);
      const left = await client.query("select count(*)::int as calls from handrail.reservations");
      await client.end();
      const rows = billed.rows as readonly { readonly outcome: string; readonly usd: number }[];
      expect(rows.map(({ outcome, usd }) => [outcome, outcome === "ok" ? usd : usd >= 50 * 2e-6])).toEqual([
        ["lost", true],
        ["ok", 0.00014],
        ["ok", 0.00014],
      ]);
      expect(left.rows).toEqual([{ calls: 0 }]);
    } finally {
      killPrograms();
      await up.close();
    }
  });
});
