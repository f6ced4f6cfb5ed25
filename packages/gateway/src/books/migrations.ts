import { sql, type CreateTableBuilder, type Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import { FIRST_INDEXES, FIRST_TABLES, type SqlFlavour, type Table } from "./first-tables.ts";

/**
 * What brings the books from one version to the next, in order. Forward only: a migration that was released is never
 * edited, and one that runs while older replicas still work must leave them what they use.
 */
export function booksMigrations(flavour: SqlFlavour): Readonly<Record<string, Migration>> {
  return {
    "0001-first": {
      async up(db: Kysely<unknown>) {
        for (const [name, table] of Object.entries(FIRST_TABLES)) {
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
