import { sql, type CreateTableBuilder, type Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** Which SQL is spoken. */
export type SqlFlavour = "sqlite" | "postgres";

type Column = readonly [name: string, type: "text" | "integer" | "bigint" | "double precision", nullable?: "null"];
type Table = {
  readonly columns: readonly Column[];
  readonly key: readonly string[];
  /** Of short rows that are found by their key alone. */
  readonly narrow?: true;
  readonly only?: SqlFlavour;
};

const FIRST: Readonly<Record<string, Table>> = {
  keys: {
    columns: [
      ["id", "text"],
      ["name", "text"],
      ["owner_kind", "text"],
      ["owner_id", "text"],
      ["team_id", "text", "null"],
      ["conversation_id", "text", "null"],
      ["models", "text", "null"],
      ["limits", "text"],
      ["created_at", "bigint"],
      ["expires_at", "bigint", "null"],
      ["revoked_at", "bigint", "null"],
      ["admin", "integer"],
      ["cache", "text", "null"],
      ["metadata", "text", "null"],
    ],
    key: ["id"],
  },
  key_hashes: {
    columns: [
      ["hash", "text"],
      ["key_id", "text"],
      ["hint", "text"],
      ["created_at", "bigint"],
      ["until", "bigint", "null"],
    ],
    key: ["hash"],
  },
  owners: {
    columns: [
      ["kind", "text"],
      ["id", "text"],
      ["name", "text"],
      ["limits", "text"],
      ["models", "text", "null"],
    ],
    key: ["kind", "id"],
  },
  reservations: {
    columns: [
      ["call_id", "text"],
      ["process_id", "text"],
      ["at", "bigint"],
      ["nano", "bigint"],
      ["tokens", "bigint"],
      ["scopes", "text"],
      ["entry", "text"],
    ],
    key: ["call_id"],
    only: "postgres",
  },
  ledger: {
    columns: [
      ["call_id", "text"],
      ["started_at", "bigint"],
      ["key_id", "text"],
      ["owner_kind", "text"],
      ["owner_id", "text"],
      ["team_id", "text"],
      ["conversation_id", "text"],
      ["model", "text"],
      ["outcome", "text"],
      ["tokens", "bigint"],
      ["nano", "bigint"],
      ["scopes", "text"],
      ["entry", "text"],
    ],
    key: ["call_id"],
  },
  daily_spend: {
    columns: [
      ["day", "text"],
      ["key_id", "text"],
      ["owner_kind", "text"],
      ["owner_id", "text"],
      ["team_id", "text"],
      ["conversation_id", "text"],
      ["model", "text"],
      ["calls", "bigint"],
      ["failed", "bigint"],
      ["cached", "bigint"],
      ["prompt_tokens", "bigint"],
      ["answer_tokens", "bigint"],
      ["cache_read_tokens", "bigint"],
      ["cost_usd", "double precision"],
      ["saved_usd", "double precision"],
      ["unpriced", "bigint"],
    ],
    key: ["day", "key_id", "owner_kind", "owner_id", "team_id", "conversation_id", "model"],
    narrow: true,
  },
  scope_spend: {
    columns: [
      ["scope", "text"],
      ["day", "bigint"],
      ["day_nano", "bigint"],
      ["week", "bigint"],
      ["week_nano", "bigint"],
      ["month", "bigint"],
      ["month_nano", "bigint"],
      ["total_nano", "bigint"],
    ],
    key: ["scope"],
    narrow: true,
    only: "sqlite",
  },
  scope_counters: {
    columns: [
      ["scope", "text"],
      ["counter", "text"],
    ],
    key: ["scope"],
    only: "postgres",
  },
  replicas: {
    columns: [
      ["id", "text"],
      ["seen_at", "bigint"],
    ],
    key: ["id"],
    only: "postgres",
  },
};

const FIRST_INDEXES: readonly (readonly [table: string, name: string, columns: readonly string[]])[] = [
  ["key_hashes", "key_hashes_by_key", ["key_id"]],
  ["ledger", "ledger_by_start", ["started_at", "call_id"]],
  ["ledger", "ledger_by_key", ["key_id", "started_at", "call_id"]],
  ["daily_spend", "daily_spend_by_key", ["key_id"]],
];

/**
 * What brings the books from one version to the next, in order. Forward only: a migration that was released is never
 * edited, and one that runs while older replicas still work must leave them what they use.
 */
export function booksMigrations(flavour: SqlFlavour): Readonly<Record<string, Migration>> {
  return {
    "0001-first": {
      async up(db: Kysely<unknown>) {
        for (const [name, table] of Object.entries(FIRST)) {
          if (table.only === undefined || table.only === flavour) await createTable(db, { name, ...table }, flavour);
        }
        for (const [table, name, columns] of FIRST_INDEXES) {
          const list = sql.join(columns.map((column) => sql.ref(column)));
          await sql`create index ${sql.ref(name)} on ${sql.table(table)} (${list})`.execute(db);
        }
        if (flavour === "postgres") await tellReplicas(db);
      },
    },
  };
}

async function createTable(db: Kysely<unknown>, table: Table & { readonly name: string }, flavour: SqlFlavour) {
  const { name, columns, key, narrow = false } = table;
  let builder: CreateTableBuilder<string, string> = db.schema.createTable(name);
  for (const [column, type, nullable] of columns) {
    builder = builder.addColumn(column, type, (definition) => (nullable ? definition : definition.notNull()));
  }
  builder = builder.addPrimaryKeyConstraint(`${name}_pk`, [...key]);
  // Fewer pages are written with each call.
  if (narrow && flavour === "sqlite") builder = builder.modifyEnd(sql`without rowid`);
  await builder.execute();
}

/** Whoever listens hears of a changed key or owner in the instant that the change is there: see `KeyCache.forget`. */
async function tellReplicas(db: Kysely<unknown>): Promise<void> {
  await sql`create function handrail_keys_changed() returns trigger language plpgsql as $$
    declare
      changed jsonb := case when tg_op = 'DELETE' then to_jsonb(old) else to_jsonb(new) end;
      what text := case tg_table_name
        when 'keys' then 'key:' || (changed->>'id')
        when 'key_hashes' then 'key:' || (changed->>'key_id')
        else 'owner:' || (changed->>'kind') || ':' || (changed->>'id') end;
    begin
      perform pg_notify('handrail_keys', case when octet_length(what) > 7000 then '' else what end);
      return null;
    end $$`.execute(db);
  for (const table of ["keys", "key_hashes", "owners"]) {
    await sql`create trigger handrail_keys_changed after insert or update or delete on ${sql.table(table)}
      for each row execute function handrail_keys_changed()`.execute(db);
  }
}
