import { existsSync, openSync, closeSync, fsyncSync, linkSync, rmSync, chmodSync } from "node:fs";
import { dirname } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { AppError } from "@handrail/protocol/errors";
import { sqliteFailure } from "./sqlite-failure.ts";

// All pages in one step: a step sees one state, while with several any write in between would start the copy anew.
const ALL_PAGES = 2 ** 31 - 1;

/**
 * Copies the database, blobs included, while it is in use: one consistent state, which holds all that was acknowledged
 * before the call. The copy is a database to start from. It is either complete or not there.
 * @throws AppError `file_exists` when there is a file at `target`; `storage_full`, `storage_failed`
 */
export async function backupSqlite(file: string, target: string): Promise<void> {
  if (!existsSync(file)) throw new AppError("storage_failed", `There is no database at ${file}.`);
  if (existsSync(target)) throw taken(target);
  const partial = `${target}.partial-${process.pid}`;
  try {
    await copy(file, partial);
    chmodSync(partial, 0o600);
    sync(partial);
    linkSync(partial, target);
    sync(dirname(target));
  } catch (thrown) {
    throw codeOf(thrown) === "EEXIST" ? taken(target) : sqliteFailure(thrown);
  } finally {
    rmSync(partial, { force: true });
    rmSync(`${partial}-journal`, { force: true });
  }
}

async function copy(file: string, partial: string): Promise<void> {
  const source = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  try {
    await backup(source, partial, { rate: ALL_PAGES });
  } finally {
    source.close();
  }
}

function sync(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const taken = (target: string) => new AppError("file_exists", `There is a file at ${target} already. Choose another.`);

const codeOf = (thrown: unknown) => (thrown instanceof Error && "code" in thrown ? thrown.code : undefined);
