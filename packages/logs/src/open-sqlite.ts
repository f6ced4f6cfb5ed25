import { DatabaseSync } from "node:sqlite";

/** How hard a commit is pushed to the disk: see docs/decisions/0002-sqlite-durability.md. */
export type Synchronous = "full" | "normal";

export type SqliteSettings = {
  /** `full` when absent. */
  readonly synchronous?: Synchronous | undefined;
  /** How long to wait for another program's lock; 5 seconds when absent. The whole process waits. */
  readonly busyTimeoutMs?: number | undefined;
};

/** One connection to the file, in WAL mode. The caller closes it. */
export function openSqlite(
  file: string,
  { synchronous = "full", busyTimeoutMs = 5_000 }: SqliteSettings,
): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: busyTimeoutMs });
  database.exec("pragma journal_mode = wal");
  database.exec(`pragma synchronous = ${synchronous}`);
  database.exec("pragma temp_store = memory");
  return database;
}
