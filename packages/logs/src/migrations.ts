import { sql, type Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import { migrateTo } from "./migrate-to.ts";
import type { Tables } from "./tables.ts";

/**
 * What brings a database from one version to the next, in order. Forward only: a migration that was released is never
 * edited. The column types are those that SQLite and PostgreSQL both know.
 */
const MIGRATIONS: Readonly<Record<string, (bytes: BytesType) => Migration>> = {
  "0001-first": (bytes) => ({
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("events")
        .addColumn("conversation_id", "text", (column) => column.notNull())
        .addColumn("seq", "integer", (column) => column.notNull())
        .addColumn("at", "bigint", (column) => column.notNull())
        .addColumn("event", "text", (column) => column.notNull())
        .addPrimaryKeyConstraint("events_pk", ["conversation_id", "seq"])
        .execute();
      await db.schema
        .createTable("conversations")
        .addColumn("id", "text", (column) => column.primaryKey().notNull())
        .addColumn("owner_id", "text", (column) => column.notNull())
        .addColumn("state", "text", (column) => column.notNull())
        .addColumn("archived", "integer", (column) => column.notNull())
        .addColumn("updated_at", "bigint", (column) => column.notNull())
        .addColumn("head", "integer", (column) => column.notNull())
        .addColumn("search_text", "text", (column) => column.notNull())
        .addColumn("summary", "text", (column) => column.notNull())
        .execute();
      await db.schema
        .createIndex("conversations_by_update")
        .on("conversations")
        .columns(["owner_id", "updated_at desc", "id"])
        .execute();
      await db.schema
        .createTable("blobs")
        .addColumn("ref", "text", (column) => column.primaryKey().notNull())
        .addColumn("bytes", sql.raw(bytes), (column) => column.notNull())
        .addColumn("created_at", "bigint", (column) => column.notNull())
        .execute();
    },
  }),
};

/** What the database calls a column of bytes. */
export type BytesType = "blob" | "bytea";

/**
 * Brings the database to this version.
 * @throws AppError `storage_newer` when a newer Handrail has written to it; nothing is changed then
 */
export async function migrate(db: Kysely<Tables>, bytes: BytesType): Promise<void> {
  await migrateTo(db, Object.fromEntries(Object.entries(MIGRATIONS).map(([name, make]) => [name, make(bytes)])));
}
