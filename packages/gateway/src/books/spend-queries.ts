import type { Kysely, SelectQueryBuilder } from "kysely";
import { sql } from "kysely";
import type { Ledger, LedgerEntry, SpendFilter, SpendGroup, SpendRow } from "../ports/ledger.ts";
import { periodsOf } from "./periods.ts";
import type { Tables } from "./tables.ts";

const MOST_ROWS = 10_000;
const PRUNED_AT_ONCE = 500;

/** What looks at the ledger and its daily sums without counting. Every answer is bounded. */
export function spendQueries(db: Kysely<Tables>): Pick<Ledger, "spend" | "entries" | "prune"> {
  return {
    spend: (by, filter) => spend(db, by, filter),
    entries: (filter, page) => entries(db, filter, page),
    prune: (olderThan) => prune(db, olderThan),
  };
}

const GROUP_COLUMN = {
  day: "day",
  model: "model",
  key: "key_id",
  user: "owner_id",
  team: "team_id",
  conversation: "conversation_id",
} as const satisfies Record<SpendGroup, keyof Tables["daily_spend"]>;

async function spend(db: Kysely<Tables>, by: SpendGroup, filter: SpendFilter): Promise<readonly SpendRow[]> {
  const group =
    by === "user"
      ? sql<string>`case when owner_kind = 'user' then owner_id else '' end`
      : sql.ref<string>(GROUP_COLUMN[by]);
  let query = narrowed(db.selectFrom("daily_spend"), filter);
  if (filter.from !== undefined) query = query.where("day", ">=", periodsOf(filter.from).dayName);
  if (filter.to !== undefined) query = query.where("day", "<=", periodsOf(filter.to - 1).dayName);
  const sum = (column: keyof Tables["daily_spend"]) => sql<number | string>`sum(${sql.ref(column)})`;
  const rows = await query
    .select([
      group.as("group"),
      sum("calls").as("calls"),
      sum("failed").as("failed"),
      sum("cached").as("cached"),
      sum("prompt_tokens").as("promptTokens"),
      sum("answer_tokens").as("answerTokens"),
      sum("cache_read_tokens").as("cacheReadTokens"),
      sum("cost_usd").as("costUsd"),
      sum("saved_usd").as("savedUsd"),
      sum("unpriced").as("unpriced"),
    ])
    .groupBy(group)
    .orderBy(by === "day" ? sql`1 asc` : sql`8 desc, 1 asc`)
    .limit(MOST_ROWS)
    .execute();
  // PostgreSQL sums whole numbers to numerics, which come as text.
  return rows.map(({ group: value, ...sums }) => ({
    group: value,
    ...(Object.fromEntries(Object.entries(sums).map(([name, amount]) => [name, Number(amount)])) as Omit<
      SpendRow,
      "group"
    >),
  }));
}

type Narrowable = Pick<Tables["ledger"], "key_id" | "owner_id" | "team_id" | "conversation_id" | "model">;

function narrowed<Table extends "ledger" | "daily_spend">(
  query: SelectQueryBuilder<Tables, Table, object>,
  filter: SpendFilter,
): SelectQueryBuilder<Tables, Table, object> {
  const wanted: Partial<Record<keyof Narrowable, string | undefined>> = {
    key_id: filter.keyId,
    owner_id: filter.ownerId,
    team_id: filter.teamId,
    conversation_id: filter.conversationId,
    model: filter.model,
  };
  return Object.entries(wanted).reduce(
    (narrower, [column, value]) => (value === undefined ? narrower : narrower.where(sql.ref(column), "=", value)),
    query,
  );
}

async function entries(
  db: Kysely<Tables>,
  filter: SpendFilter,
  page: { readonly limit: number; readonly before?: string },
): Promise<readonly LedgerEntry[]> {
  let query = narrowed(db.selectFrom("ledger"), filter);
  if (filter.from !== undefined) query = query.where("started_at", ">=", filter.from);
  if (filter.to !== undefined) query = query.where("started_at", "<", filter.to);
  if (page.before !== undefined) {
    const last = db.selectFrom("ledger").select(["started_at", "call_id"]).where("call_id", "=", page.before);
    query = query.where(sql<boolean>`(started_at, call_id) < (${last})`);
  }
  const rows = await query
    .select("entry")
    .orderBy("started_at", "desc")
    .orderBy("call_id", "desc")
    .limit(Math.min(page.limit, MOST_ROWS))
    .execute();
  return rows.map(({ entry }) => JSON.parse(entry) as LedgerEntry);
}

/** In small steps: one large removal would keep every call waiting. */
async function prune(db: Kysely<Tables>, olderThan: number): Promise<number> {
  let count = 0;
  for (;;) {
    const old = db.selectFrom("ledger").select("call_id").where("started_at", "<", olderThan);
    const some = old.orderBy("started_at").limit(PRUNED_AT_ONCE);
    const { numDeletedRows } = await db.deleteFrom("ledger").where("call_id", "in", some).executeTakeFirst();
    count += Number(numDeletedRows);
    if (numDeletedRows < PRUNED_AT_ONCE) return count;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
