import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { SqliteDialect, type SqliteDatabase } from "kysely";

const STATEMENTS_KEPT = 128;

/** A kysely dialect over `node:sqlite`. Closing the Kysely closes the connection. */
export function sqliteDialect(database: DatabaseSync): SqliteDialect {
  return new SqliteDialect({ database: adapt(database) });
}

function adapt(database: DatabaseSync): SqliteDatabase {
  const kept = new Map<string, StatementSync>();
  const prepare = (text: string): StatementSync => {
    const statement = kept.get(text) ?? database.prepare(text);
    kept.delete(text);
    kept.set(text, statement);
    if (kept.size > STATEMENTS_KEPT) kept.delete(kept.keys().next().value ?? "");
    return statement;
  };
  return {
    close: () => database.close(),
    prepare(text) {
      if (text === "rollback" && !database.isTransaction) return NOTHING;
      // A transaction that reads first and writes later could otherwise fail in the middle with SQLITE_BUSY.
      const statement = prepare(text === "begin" ? "begin immediate" : text);
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...bound(parameters)),
        run: (parameters) => statement.run(...bound(parameters)),
        iterate: (parameters) => statement.iterate(...bound(parameters)),
      };
    },
  };
}

/** What stands for a rollback after SQLite has rolled back by itself, as it does when the disk is full. */
const NOTHING = {
  reader: false,
  all: () => [],
  run: () => ({ changes: 0, lastInsertRowid: 0 }),
  iterate: () => [].values(),
};

const bound = (parameters: readonly unknown[]): SQLInputValue[] => parameters as SQLInputValue[];
