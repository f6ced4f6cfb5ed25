import { AppError } from "@handrail/protocol/errors";
import type { OpenCall, SettledCall } from "./settled-call.ts";
import type { SqliteStatements } from "./sqlite-statements.ts";

/** Settlements are written with the next reservations, or after this. */
const SETTLE_WITHIN_MS = 15;
const RETRY_AFTER_MS = 500;
/** Settlements that could not be written, at most; then no more calls are let through. */
const BACKLOG = 10_000;

/** What was counted in memory and is to outlive the process. */
export type SqliteJournal = {
  /** Resolves when the reservation is written. @throws AppError `books_unavailable` */
  opened(call: OpenCall): Promise<void>;
  /** `written` is called once it is. Kept until it can be. */
  settled(call: SettledCall, written: () => void): void;
  /** Writes all that waits. @throws AppError `books_unavailable` */
  flush(): void;
  trouble(): string | undefined;
};

type Opening = { readonly call: OpenCall; readonly resolve: () => void; readonly reject: (error: AppError) => void };
type Settling = { readonly call: SettledCall; readonly written: () => void };

/** Reservations of one turn of the event loop are written together, settlements with them or a little later. */
export function sqliteJournal(statements: SqliteStatements, processId: string): SqliteJournal {
  let opening: Opening[] = [];
  let settling: Settling[] = [];
  let immediate: NodeJS.Immediate | undefined;
  let timer: NodeJS.Timeout | undefined;
  let trouble: string | undefined;

  const write = (): void => {
    if (immediate) clearImmediate(immediate);
    if (timer) clearTimeout(timer);
    immediate = timer = undefined;
    const [opened, settled] = [opening, settling];
    opening = [];
    if (opened.length + settled.length === 0) return;
    try {
      statements.write(
        processId,
        opened.map(({ call }) => call),
        settled.map(({ call }) => call),
      );
    } catch (thrown) {
      trouble = `The books cannot be written: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
      for (const { reject } of opened) reject(unavailable(thrown));
      if (settled.length > 0) timer = setTimeout(write, RETRY_AFTER_MS);
      return;
    }
    settling = [];
    trouble = undefined;
    for (const { written } of settled) written();
    for (const { resolve } of opened) resolve();
  };

  return {
    trouble: () => trouble,
    async opened(call) {
      if (settling.length > BACKLOG) throw unavailable(trouble);
      await new Promise<void>((resolve, reject) => {
        opening.push({ call, resolve, reject });
        immediate ??= setImmediate(write);
      });
    },
    settled(call, written) {
      settling.push({ call, written });
      timer ??= setTimeout(write, SETTLE_WITHIN_MS);
    },
    flush() {
      write();
      if (settling.length > 0) throw unavailable(trouble);
    },
  };
}

function unavailable(cause: unknown): AppError {
  const message = "The books of keys and spend cannot be written. No call is let through until they can.";
  return new AppError("books_unavailable", message, {}, { cause });
}
