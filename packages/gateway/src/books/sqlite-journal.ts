import { AppError } from "@handrail/protocol/errors";
import { openedLine, settledLine, type CallFile } from "./call-file.ts";
import type { OpenCall, SettledCall } from "./settled-call.ts";

/** How long settled calls may be in the file only. */
const SETTLE_WITHIN_MS = 50;
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

type Opening = { readonly call: OpenCall; readonly resolve: () => void; readonly reject: (error: AppError) => void };
type Settling = { readonly call: SettledCall; readonly written: () => void };

/**
 * Calls are written to the file as they begin and end, those of one turn of the event loop together, and to the database
 * by the batch when they have ended: a transaction costs more than all else that is done for a call.
 */
export function sqliteJournal(file: CallFile, write: (calls: readonly SettledCall[]) => void): SqliteJournal {
  const open = new Map<string, OpenCall>();
  const troubles: { file?: string | undefined; database?: string | undefined } = {};
  let opening: Opening[] = [];
  let ended: string[] = [];
  let settling: Settling[] = [];
  let immediate: NodeJS.Immediate | undefined;
  let timer: NodeJS.Timeout | undefined;

  const toFile = (): void => {
    immediate = undefined;
    const opened = opening;
    opening = [];
    try {
      file.append([...ended, ...opened.map(({ call }) => openedLine(call))]);
    } catch (thrown) {
      troubles.file = sentence(thrown);
      for (const { reject } of opened) reject(unavailable(thrown));
      return;
    }
    ended = [];
    troubles.file = undefined;
    for (const { call, resolve } of opened) {
      open.set(call.callId, call);
      resolve();
    }
  };
  /** @throws what the database threw */
  const toDatabase = (): void => {
    const batch = settling.slice(0, TOGETHER);
    write(batch.map(({ call }) => call));
    settling = settling.slice(TOGETHER);
    for (const { written } of batch) written();
  };
  const flush = (): void => {
    try {
      while (settling.length > 0) toDatabase();
      troubles.database = undefined;
    } catch (thrown) {
      troubles.database = sentence(thrown);
      throw unavailable(thrown);
    }
  };
  const compact = (): void => {
    flush();
    file.restart(open.values());
    ended = [];
  };
  const onTimer = (): void => {
    timer = undefined;
    try {
      toDatabase();
      troubles.database = undefined;
      if (settling.length > 0) timer = setTimeout(onTimer, 1);
      else if (file.bytes() > FILE_BYTES) compact();
    } catch (thrown) {
      troubles.database = sentence(thrown);
      timer = setTimeout(onTimer, RETRY_AFTER_MS);
    }
  };

  return {
    trouble: () => troubles.file ?? troubles.database,
    async opened(call) {
      if (settling.length > BACKLOG) throw unavailable(troubles.database);
      await new Promise<void>((resolve, reject) => {
        opening.push({ call, resolve, reject });
        immediate ??= setImmediate(toFile);
      });
    },
    settled(call, written) {
      open.delete(call.call.callId);
      ended.push(settledLine(call.settlement));
      settling.push({ call, written });
      immediate ??= setImmediate(toFile);
      timer ??= setTimeout(onTimer, SETTLE_WITHIN_MS);
    },
    flush,
    compact,
    close() {
      if (immediate) clearImmediate(immediate);
      if (timer) clearTimeout(timer);
      try {
        compact();
      } finally {
        file.close();
      }
    },
  };
}

const sentence = (thrown: unknown): string =>
  `The books cannot be written: ${thrown instanceof Error ? thrown.message : String(thrown)}`;

function unavailable(cause: unknown): AppError {
  const message = "The books of keys and spend cannot be written. No call is let through until they can.";
  return new AppError("books_unavailable", message, {}, { cause });
}
