import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { AppError } from "@handrail/protocol/errors";

/** A database that nobody refers to any more is closed by the garbage collector, and its lock is gone. */
const held = new Set<DatabaseSync>();

/** How often a holder looks whether the file is still the one that it locked. */
const LOOK_MS = 250;
/** How long one who finds no file, though somebody had the lock, gives a holder to put it back. */
const WAIT_MS = 4 * LOOK_MS;
/** Of SQLite (sqlite.org/rescode.html): another connection has the lock. */
const BUSY = 5;

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
 * and ids of processes that were given out again cannot confuse it. `lock.owner` only says who to name. A file that is
 * removed, or becomes another, is put back and locked by its holder. Where somebody else was faster, which takes a holder
 * that stood still, it throws `state_locked` out of a timer: that ends a program. `onPutBack` gets the name of the lock
 * that was put back.
 * @throws AppError `state_locked` with the owner's `pid`
 */
export function lockDirectory(directory: string, onPutBack?: (lock: string) => void): DirectoryLock {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const holding = randomUUID();
  const place = { directory, file: join(directory, "lock"), ownerFile: join(directory, "lock.owner"), holding };
  if (!existsSync(place.file) && existsSync(place.ownerFile)) waitMs(WAIT_MS);
  let database = take(place);
  const lock = nameOf(place.file);
  let inode = inodeOf(place.file);
  const looking = setInterval(() => {
    const taken = isStill(place.file, inode) ? undefined : takeAgain(place);
    if (taken === undefined) return;
    letGo(database);
    database = taken;
    // Removed again already, it is put back at the next look.
    if (!existsSync(place.file)) return;
    inode = inodeOf(place.file);
    onPutBack?.(nameOf(place.file));
  }, LOOK_MS).unref();
  return {
    lock,
    holding,
    release: () => {
      clearInterval(looking);
      letGo(database);
    },
  };
}

type Place = {
  readonly directory: string;
  readonly file: string;
  readonly ownerFile: string;
  readonly holding: string;
};

/** @throws AppError `state_locked` */
function take({ directory, file, ownerFile, holding }: Place): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec("begin exclusive");
  } catch (cause) {
    database.close();
    throw locked(directory, readOwner(ownerFile), cause);
  }
  held.add(database);
  writeOwner(ownerFile, holding);
  return database;
}

/** Undefined where that cannot be done, or told, at the moment. @throws AppError `state_locked` when somebody else has it */
function takeAgain(place: Place): DatabaseSync | undefined {
  try {
    return take(place);
  } catch (thrown) {
    const isOthers = readOwner(place.ownerFile).holding !== place.holding;
    if (thrown instanceof AppError && isBusy(thrown.cause) && isOthers) throw thrown;
    return undefined;
  }
}

const isBusy = (cause: unknown) =>
  cause instanceof Error && "errcode" in cause && typeof cause.errcode === "number" && (cause.errcode & 0xff) === BUSY;

function letGo(database: DatabaseSync): void {
  if (held.delete(database)) database.close();
}

/** Without the event loop: nothing else is begun before the lock is held. */
function waitMs(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** By its place in its file system and when it was made there, where that is known. */
function nameOf(file: string): string {
  const { ino, birthtimeNs } = statSync(file, { bigint: true });
  return `${ino}-${birthtimeNs}`;
}

/** No other file has it as long as this one is open. */
const inodeOf = (file: string) => statSync(file, { bigint: true }).ino;

/** Also where the file system does not say, as one that is away for a while. */
function isStill(file: string, inode: bigint): boolean {
  try {
    return inodeOf(file) === inode;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code !== "ENOENT";
  }
}

type Owner = { readonly pid: string; readonly host: string; readonly holding?: string | undefined };

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
    const [pid = "unknown", host = "unknown", holding] = readFileSync(file, "utf8").split("\n");
    return { pid, host, holding };
  } catch {
    return { pid: "unknown", host: hostname() };
  }
}

function writeOwner(file: string, holding: string): void {
  try {
    writeFileSync(file, `${process.pid}\n${hostname()}\n${holding}\n`, { mode: 0o600 });
  } catch {
    // On a full disk the lock still holds; only its owner's name is missing.
  }
}
