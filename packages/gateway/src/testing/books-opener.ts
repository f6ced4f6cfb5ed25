import { AppError } from "@handrail/protocol/errors";
import type { Books } from "../ports/books.ts";

/** How the suites get at books. The opener's own test file closes and removes what is left. */
export type BooksOpener = {
  /** Empty books, with this clock. */
  readonly open: (now: () => number) => Promise<Books>;
  /** As if its process had been killed: nothing more is written, and the same books are opened by another process. */
  readonly crash: (books: Books, now: () => number) => Promise<Books>;
};

/** The code of what was thrown; undefined when nothing was. */
export async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise;
    return undefined;
  } catch (thrown) {
    return thrown instanceof AppError ? thrown.code : String(thrown);
  }
}

/** A clock that is set by hand. */
export type HandClock = { (): number; set(at: number): void };

export function handClock(start: number): HandClock {
  let at = start;
  return Object.assign(() => at, {
    set: (next: number) => {
      at = next;
    },
  });
}
