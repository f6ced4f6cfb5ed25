import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqlite } from "@handrail/logs/open-sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keyCache } from "./key-cache.ts";
import { sqliteQueries } from "./sqlite-queries.ts";
import { bringSchema } from "./sqlite-schema.ts";

let home = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "handrail-schema-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function written(file: string) {
  const database = openSqlite(file, {});
  const rows = (sql: string) => database.prepare(sql).all();
  const all = {
    schema: rows("select type, name, tbl_name, sql from sqlite_master order by type, name"),
    migrations: rows("select name from kysely_migration order by name"),
    lock: rows("select * from kysely_migration_lock"),
  };
  database.close();
  return all;
}

async function migrated(file: string): Promise<void> {
  const queries = sqliteQueries(file, keyCache(), Date.now);
  await queries.migrate();
  await queries.close();
}

async function brought(file: string) {
  const database = openSqlite(file, {});
  let migrations = 0;
  await bringSchema(database, async () => {
    migrations++;
  });
  database.close();
  return migrations;
}

test("a new file has, without a migration, word for word what the migrations write", async () => {
  const [ours, theirs] = [join(home, "ours.sqlite"), join(home, "theirs.sqlite")];
  expect(await brought(ours)).toBe(0);
  await migrated(theirs);
  expect(written(ours)).toEqual(written(theirs));
  await migrated(ours);
  expect(written(ours)).toEqual(written(theirs));
});

test("a file that is up to date is left alone, one of another version goes to the migrations", async () => {
  const file = join(home, "books.sqlite");
  await migrated(file);
  expect(await brought(file)).toBe(0);
  const database = openSqlite(file, {});
  database.exec("insert into kysely_migration values ('0099-later', 'now')");
  database.close();
  expect(await brought(file)).toBe(1);
});
