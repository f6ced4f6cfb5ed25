import { AppError } from "@handrail/protocol/errors";

// Primary result codes of SQLite (sqlite.org/rescode.html).
const BUSY = 5;
const LOCKED = 6;
const FULL = 13;
const CONSTRAINT = 19;

/** Gives what SQLite threw its code; what is an AppError already stays as it is. */
export function sqliteFailure(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const code = resultCode(thrown);
  if (code === FULL)
    return failure("storage_full", "The disk is full. Free some space; nothing that was saved is lost.", thrown);
  if (code === CONSTRAINT) return failure("log_conflict", "Someone else wrote first. Read on and try again.", thrown);
  if (code === BUSY || code === LOCKED) {
    return failure("storage_failed", "The database is locked by another program. Stop that one and try again.", thrown);
  }
  return failure(
    "storage_failed",
    "The database could not be read or written. Check the disk and its permissions.",
    thrown,
  );
}

function failure(code: AppError["code"], message: string, cause: unknown): AppError {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new AppError(code, message, { detail }, { cause });
}

/** The low byte is the primary code, the rest says more. */
function resultCode(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !("errcode" in thrown) || typeof thrown.errcode !== "number") return undefined;
  return thrown.errcode & 0xff;
}
