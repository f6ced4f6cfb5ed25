import type { DatabaseSync } from "node:sqlite";
import { type Column, FIRST_INDEXES, FIRST_TABLES, type Table } from "./first-tables.ts";

/** The migrations whose result `createSchema` writes. A test holds them against `booksMigrations`. */
const WRITTEN: readonly string[] = ["0001-first"];

/**
 * Brings the file to this version. One that is new or up to date does not load what migrates, which takes longer than the rest
 * of a start.
 */
export async function bringSchema(database: DatabaseSync, migrate: () => Promise<void>): Promise<void> {
  if (isEmpty(database)) createSchema(database);
  else if (!isCurrent(database)) await migrate();
}

function isEmpty(database: DatabaseSync): boolean {
  return database.prepare("select name from sqlite_master limit 1").get() === undefined;
}

function isCurrent(database: DatabaseSync): boolean {
  const table = "select name from sqlite_master where type = 'table' and name = 'kysely_migration'";
  if (database.prepare(table).get() === undefined) return false;
  const done = database.prepare("select name from kysely_migration order by name").all();
  return done.length === WRITTEN.length && done.every(({ name }, index) => name === WRITTEN[index]);
}

/** Word for word what the migrations write, and their marks with it. */
function createSchema(database: DatabaseSync): void {
  const tables = Object.entries(FIRST_TABLES).filter(([, { only = "sqlite" }]) => only === "sqlite");
  const statements = [
    "begin immediate",
    `create table "kysely_migration" ("name" varchar(255) not null primary key, "timestamp" varchar(255) not null)`,
    `create table "kysely_migration_lock" ("id" varchar(255) not null primary key, "is_locked" integer default 0 not null)`,
    "insert into kysely_migration_lock (id, is_locked) values ('migration_lock', 0)",
    ...tables.map(([name, table]) => tableText(name, table)),
    ...FIRST_INDEXES.map(([table, name, columns]) => `create index "${name}" on "${table}" (${listText(columns)})`),
    ...WRITTEN.map((name) => `insert into kysely_migration values ('${name}', '${new Date().toISOString()}')`),
    "commit",
  ];
  try {
    database.exec(statements.join(";"));
  } catch (thrown) {
    if (database.isTransaction) database.exec("rollback");
    throw thrown;
  }
}

function tableText(name: string, { columns, key, narrow }: Table): string {
  const parts = [...columns.map(columnText), `constraint "${name}_pk" primary key (${listText(key)})`];
  return `create table "${name}" (${parts.join(", ")})${narrow ? " without rowid" : ""}`;
}

const columnText = ([name, type, nullable]: Column) => `"${name}" ${type}${nullable ? "" : " not null"}`;
const listText = (names: readonly string[]) => names.map((name) => `"${name}"`).join(", ");
