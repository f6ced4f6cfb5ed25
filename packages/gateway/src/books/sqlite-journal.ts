import { booksUnavailable, sentence } from "./books-unavailable.ts";
import type { CallLog } from "./call-log.ts";
import type { OpenCall, SettledCall } from "./settled-call.ts";

/** How long settled calls may be in the file only. */
const SETTLE_WITHIN_MS = 200;
const RETRY_AFTER_MS = 500;
/** Calls in one transaction: it keeps all others waiting. */
const TOGETHER = 64;
/** Settlements that could not be written, at most; then no more calls are let through. */
const BACKLOG = 10_000;
const FILE_BYTES = 4_000_000;

/** What was counted in memory and is to outlive the process. */
export type SqliteJournal = {
  /** Resolves when the reservation is written. @throws AppError `books_unavailable` */
  opened(call: OpenCall): Promise<void>;
  /** `written` is called once the database has it. Kept until it does. */
  settled(call: SettledCall, written: () => void): void;
  /** Writes all that waits to the database. @throws AppError `books_unavailable` */
  flush(): void;
  /** Flushes, and leaves only calls that are under way in the file. @throws AppError `books_unavailable` */
  compact(): void;
  trouble(): string | undefined;
  /** Flushes and closes the file. Calls under way will be lost ones. @throws AppError `books_unavailable` */
  close(): void;
};

type Settling = { readonly call: SettledCall; readonly written: () => void };

/**
 * Calls go to the file as they begin and end, and to the database by the batch when they have ended: a transaction costs
 * more than all else that is done for a call.
 */
export function sqliteJournal(log: CallLog, write: (calls: readonly SettledCall[]) => void): SqliteJournal {
  const waiting = waitingCalls(write);
  let timer: NodeJS.Timeout | undefined;
  const compact = (): void => {
    waiting.flush();
    log.restart();
  };
  const onTimer = (): void => {
    timer = undefined;
    try {
      waiting.writeSome();
      if (waiting.count() > 0) timer = setTimeout(onTimer, 1);
      else if (log.bytes() > FILE_BYTES) compact();
    } catch {
      timer = setTimeout(onTimer, RETRY_AFTER_MS);
    }
  };
  return {
    trouble: () => log.trouble() ?? waiting.trouble(),
    async opened(call) {
      if (waiting.count() > BACKLOG) throw booksUnavailable(waiting.trouble());
      await log.opened(call);
    },
    settled(call, written) {
      log.ended(call.settlement);
      waiting.push({ call, written });
      timer ??= setTimeout(onTimer, SETTLE_WITHIN_MS);
    },
    flush: () => waiting.flush(),
    compact,
    close() {
      if (timer) clearTimeout(timer);
      try {
        compact();
      } finally {
        log.close();
      }
    },
  };
}

/** Settled calls that the database does not have yet. What could not be written stays. */
function waitingCalls(write: (calls: readonly SettledCall[]) => void) {
  let settling: Settling[] = [];
  let trouble: string | undefined;
  /** @throws AppError `books_unavailable` */
  const writeSome = (): void => {
    const batch = settling.slice(0, TOGETHER);
    try {
      write(batch.map(({ call }) => call));
    } catch (thrown) {
      trouble = sentence(thrown);
      throw booksUnavailable(thrown);
    }
    trouble = undefined;
    settling = settling.slice(TOGETHER);
    for (const { written } of batch) written();
  };
  return {
    count: () => settling.length,
    push: (each: Settling) => settling.push(each),
    trouble: () => trouble,
    writeSome,
    flush(): void {
      while (settling.length > 0) writeSome();
    },
  };
}
