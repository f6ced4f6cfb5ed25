import type { AppError } from "@handrail/protocol/errors";
import type { Settlement } from "../ports/ledger.ts";
import { booksUnavailable, sentence } from "./books-unavailable.ts";
import { openedLine, settledLine, type CallFile } from "./call-file.ts";
import type { OpenCall } from "./settled-call.ts";

/** Writes calls to the file as they begin and end; those of one turn of the event loop together. */
export type CallLog = {
  /** Resolves when the call is written. @throws AppError `books_unavailable`; it is not in the file then */
  opened(call: OpenCall): Promise<void>;
  ended(settlement: Settlement): void;
  /** Leaves only calls that are under way in the file: for when all others are in the database. */
  restart(): void;
  bytes(): number;
  trouble(): string | undefined;
  close(): void;
};

type Opening = { readonly call: OpenCall; readonly resolve: () => void; readonly reject: (error: AppError) => void };

export function callLog(file: CallFile): CallLog {
  const open = new Map<string, OpenCall>();
  let opening: Opening[] = [];
  let ended: string[] = [];
  let immediate: NodeJS.Immediate | undefined;
  let trouble: string | undefined;

  const write = (): void => {
    immediate = undefined;
    const opened = opening;
    opening = [];
    try {
      file.append([...ended, ...opened.map(({ call }) => openedLine(call))]);
    } catch (thrown) {
      trouble = sentence(thrown);
      for (const { reject } of opened) reject(booksUnavailable(thrown));
      return;
    }
    ended = [];
    trouble = undefined;
    for (const { call, resolve } of opened) {
      open.set(call.callId, call);
      resolve();
    }
  };

  return {
    opened: (call) =>
      new Promise((resolve, reject) => {
        opening.push({ call, resolve, reject });
        immediate ??= setImmediate(write);
      }),
    ended(settlement) {
      open.delete(settlement.callId);
      ended.push(settledLine(settlement));
      immediate ??= setImmediate(write);
    },
    restart() {
      file.restart(open.values());
      ended = [];
    },
    bytes: () => file.bytes(),
    trouble: () => trouble,
    close() {
      if (immediate) clearImmediate(immediate);
      file.close();
    },
  };
}
