import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { AppError } from "@handrail/protocol/errors";

/** A database that nobody refers to any more is closed by the garbage collector, and its lock is gone. */
const held = new Set<DatabaseSync>();

/** Held until released or until the process ends, in whatever way. */
export type DirectoryLock = {
  /** Which lock it is. A copy of the directory has another, so that holding one says nothing of who holds the other. */
  readonly lock: string;
  /** New each time that somebody takes it. */
  readonly holding: string;
  release(): void;
};

/**
 * Makes this process the only one that uses the state directory (which is made when it does not exist).
 *
 * The lock is the kernel's, taken through SQLite on the file `lock`: it goes with its process, so none is ever stale,
 * and ids of processes that were given out again cannot confuse it. `lock.owner` only says who to name.
 * @throws AppError `state_locked` with the owner's `pid`
 */
export function lockDirectory(directory: string): DirectoryLock {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const ownerFile = join(directory, "lock.owner");
  const file = join(directory, "lock");
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec("begin exclusive");
  } catch (cause) {
    database.close();
    throw locked(directory, readOwner(ownerFile), cause);
  }
  held.add(database);
  writeOwner(ownerFile);
  return {
    lock: nameOf(file),
    holding: randomUUID(),
    release: () => {
      if (held.delete(database)) database.close();
    },
  };
}

/** By its place in its file system and when it was made there, where that is known. */
function nameOf(file: string): string {
  const { ino, birthtimeNs } = statSync(file, { bigint: true });
  return `${ino}-${birthtimeNs}`;
}

type Owner = { readonly pid: string; readonly host: string };

function locked(directory: string, { pid, host }: Owner, cause: unknown): AppError {
  const where = host === hostname() ? "" : ` on ${host}`;
  return new AppError(
    "state_locked",
    `Another Handrail (process ${pid}${where}) uses ${directory}. Stop it, or choose another state directory.`,
    { pid, host, directory },
    { cause },
  );
}

function readOwner(file: string): Owner {
  try {
    const [pid = "unknown", host = "unknown"] = readFileSync(file, "utf8").split("\n");
    return { pid, host };
  } catch {
    return { pid: "unknown", host: hostname() };
  }
}

function writeOwner(file: string): void {
  try {
    writeFileSync(file, `${process.pid}\n${hostname()}\n`, { mode: 0o600 });
  } catch {
    // On a full disk the lock still holds; only its owner's name is missing.
  }
}
