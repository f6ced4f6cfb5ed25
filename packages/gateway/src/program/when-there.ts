import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "@handrail/protocol/errors";

/** `waits` is told once, with the reason. */
export type Waiting = {
  readonly withinMs: number;
  readonly everyMs: number;
  readonly waits: (reason: string) => void;
};

/**
 * What `open` gives, which is tried again for a while as long as PostgreSQL cannot be reached or is starting.
 * @throws AppError `books_unavailable` with the reason, at once where trying again does not help; what else `open` throws
 */
export async function whenThere<Value>(open: () => Promise<Value>, waiting: Waiting): Promise<Value> {
  const { withinMs, everyMs, waits } = waiting;
  const until = performance.now() + withinMs;
  for (let told = false; ; told = true) {
    try {
      return await open();
    } catch (thrown) {
      if (!(thrown instanceof AppError && thrown.code === "books_unavailable")) throw thrown;
      const reason = reasonOf(thrown.cause);
      if (isRefusal(thrown.cause) || performance.now() + everyMs > until) throw given(reason, thrown);
      if (!told) waits(reason);
    }
    await sleep(everyMs);
  }
}

/** PostgreSQL answered, and not that it is starting, ending or full: so it does a second later. */
function isRefusal(cause: unknown): boolean {
  const code = codeOf(cause);
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !/^(?:08|53|57)/.test(code);
}

/** A connection that several addresses refused has no message. */
function reasonOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : "";
  return message === "" ? (codeOf(cause) ?? "it does not answer") : message;
}

function codeOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !("code" in cause)) return undefined;
  return typeof cause.code === "string" ? cause.code : undefined;
}

function given(reason: string, cause: AppError): AppError {
  const message = `The books in PostgreSQL cannot be opened: ${reason}. Check DATABASE_URL, and that PostgreSQL runs.`;
  return new AppError("books_unavailable", message, {}, { cause });
}
