import { join } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import type { Books } from "../ports/books.ts";

export type BooksPlace = { readonly home: string; readonly databaseUrl: string | undefined };

/** @throws AppError `config_invalid`, `state_locked`, `storage_newer`, `storage_failed`, `storage_full` */
export async function openBooks({ home, databaseUrl }: BooksPlace): Promise<Books> {
  if (databaseUrl !== undefined) throw new AppError("config_invalid", NO_POSTGRES);
  const { openSqliteBooks } = await import("../books/open-sqlite-books.ts");
  return openSqliteBooks({ file: join(home, "gateway.sqlite") });
}

const NO_POSTGRES =
  "DATABASE_URL (or database_url of the configuration) is set, and this version cannot keep its books in PostgreSQL. Unset it: the books are then in SQLite in the state directory.";
