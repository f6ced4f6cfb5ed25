import { AppError } from "@handrail/protocol/errors";
import { sql, type Kysely } from "kysely";
import { Migrator, type Migration } from "kysely/migration";

/**
 * Brings a database to the last of these migrations, by name. Where several processes may do so at once, one does and the
 * others wait.
 * @throws AppError `storage_newer` when a newer Handrail has written to it; nothing is changed then
 */
export async function migrateTo<Tables>(
  db: Kysely<Tables>,
  migrations: Readonly<Record<string, Migration>>,
): Promise<void> {
  await refuseNewer(db, migrations);
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}

async function refuseNewer<Tables>(db: Kysely<Tables>, migrations: Readonly<Record<string, Migration>>): Promise<void> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === "kysely_migration")) return;
  const done = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
  const unknown = done.rows.find((row) => !Object.hasOwn(migrations, row.name));
  if (unknown === undefined) return;
  throw new AppError(
    "storage_newer",
    "The database was written by a newer Handrail. Start that version, or restore a backup made before the upgrade.",
    { migration: unknown.name },
  );
}
