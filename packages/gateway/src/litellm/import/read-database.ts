import { AppError } from "@handrail/protocol/errors";
import pg from "pg";
import { type LiteLlmRows, tableQuery } from "./rows.ts";

const CONNECT_MS = 10_000;
const STATEMENT_MS = 60_000;

/**
 * Reads keys, users, teams and budgets of a LiteLLM's PostgreSQL, and changes nothing there. Tables that its version does not have are
 * empty.
 *
 * @throws AppError `config_invalid` when the database cannot be reached or has no keys' table
 */
export async function rowsOfDatabase(url: string): Promise<LiteLlmRows> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    application_name: "handrail",
  });
  // Without a listener a connection that is lost later would end the process.
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("begin transaction isolation level repeatable read read only");
    const rows = {
      keys: await table(client, "keys"),
      users: await table(client, "users"),
      teams: await table(client, "teams"),
      budgets: await table(client, "budgets"),
    };
    if (rows.keys === undefined) throw new AppError("config_invalid", "The database has no table of LiteLLM's keys.");
    return { keys: rows.keys, users: rows.users ?? [], teams: rows.teams ?? [], budgets: rows.budgets ?? [] };
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown;
    // The address may hold a password, and the driver's message the address.
    throw new AppError(
      "config_invalid",
      "LiteLLM's database cannot be read. Check its address and rights.",
      {},
      { cause: thrown },
    );
  } finally {
    await client.end().catch(() => {});
  }
}

async function table(client: pg.Client, kind: keyof LiteLlmRows): Promise<readonly unknown[] | undefined> {
  const { table: name, sql } = tableQuery(kind);
  const found = await client.query<{ there: boolean }>("select to_regclass($1) is not null as there", [`"${name}"`]);
  if (found.rows[0]?.there !== true) return undefined;
  const result = await client.query<{ row: unknown }>(sql);
  return result.rows.map(({ row }) => row);
}
