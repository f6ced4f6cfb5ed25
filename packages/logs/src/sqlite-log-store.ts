import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { LogStore } from "@handrail/core/ports/log-store";
import { Kysely } from "kysely";
import { migrate } from "./migrations.ts";
import { sqlLogStore } from "./sql-log-store.ts";
import { openSqlite, type SqliteSettings } from "./open-sqlite.ts";
import { sqliteDialect } from "./sqlite-dialect.ts";
import { sqliteFailure } from "./sqlite-failure.ts";
import type { Tables } from "./tables.ts";

export type SqliteLogStoreOptions = SqliteSettings & {
  /** Made, with its directory, when it does not exist. Two more files are kept beside it (`-wal`, `-shm`). */
  readonly file: string;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
};

/**
 * The log store in one SQLite file. Writes go through one connection in groups, reads through another that sees only
 * what is committed. `onAppend` tells of this process's appends, so one server at a time: see `lockDirectory`.
 * @throws AppError `storage_newer`, `storage_failed`, `storage_full`
 */
export async function sqliteLogStore(options: SqliteLogStoreOptions): Promise<LogStore> {
  try {
    return await open(options);
  } catch (thrown) {
    throw sqliteFailure(thrown);
  }
}

async function open({ file, now = Date.now, ...settings }: SqliteLogStoreOptions): Promise<LogStore> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const writer = new Kysely<Tables>({ dialect: sqliteDialect(openSqlite(file, settings)) });
  const reader = new Kysely<Tables>({ dialect: sqliteDialect(openSqlite(file, settings)) });
  const close = async () => {
    await reader.destroy();
    await writer.destroy();
  };
  try {
    await migrate(writer, "blob");
    await reader.selectFrom("conversations").select("id").limit(1).execute();
  } catch (thrown) {
    await close();
    throw thrown;
  }
  return sqlLogStore({ writer, reader, rowLocks: false, toFailure: sqliteFailure, now, close });
}
