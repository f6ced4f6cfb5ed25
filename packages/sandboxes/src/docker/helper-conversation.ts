import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Duplex } from "node:stream";
import { AppError } from "@handrail/protocol/errors";
import { DiskAnswer, type DiskRequest } from "@handrail/protocol/sandboxd/disk-messages";

/** A request without the number that is given to it here. */
export type Asked<Request = DiskRequest> = Request extends unknown ? Omit<Request, "id"> : never;

/** What is asked of one helper. */
export type HelperConversation = {
  /** @throws AppError as the helper says, `HelperLost` */
  readonly ask: (request: Asked) => Promise<void>;
  /** Ends the helper, once it has done what it was asked for. */
  readonly end: () => Promise<void>;
};

/** The helper was gone before it answered, or cannot be spoken to. Whatever it was asked may be done, or be done yet. */
export class HelperLost extends Error {
  override readonly name = "HelperLost";
}

export type ConversationOptions = {
  /** The helper is of no more use. Called once. */
  readonly onLost: () => void;
  /** What the helper has written to its standard error. */
  readonly complaints: () => string;
  /** How long an answer may take, in milliseconds. Default a minute: a disk is waited for 5 seconds. */
  readonly answerMs?: number;
};

const ANSWER_MS = 60_000;
const END_MS = 2_000;
const MISUNDERSTOOD = "it is of another version than the server, which has to be built and started anew.";

/** Speaks with `sandboxd disks` over its standard input and output. One that does not understand or answer is lost. */
export function helperConversation(stream: Duplex, options: ConversationOptions): HelperConversation {
  const { answerMs = ANSWER_MS } = options;
  const waiting = new Map<number, PromiseWithResolvers<void>>();
  let asked = 0;
  let lost: HelperLost | undefined;
  const lose = (reason: string) => {
    if (lost !== undefined) return;
    lost = new HelperLost(reason);
    for (const { reject } of waiting.values()) reject(lost);
    options.onLost();
    stream.destroy();
  };
  const lines = createInterface({ input: stream });
  // It hands on the stream's errors, after which the stream is closed.
  lines.on("error", () => undefined);
  lines.on(
    "line",
    answersTo(waiting, () => lose(MISUNDERSTOOD)),
  );
  // Podman hands on, before what it is sent, the body of the request that this began with.
  stream.write("\n");
  const over = () => lose(options.complaints() || "it has ended.");
  lines.once("close", over);
  stream.once("close", over);
  return {
    ask: async (request) => {
      if (lost !== undefined || stream.writableEnded) throw lost ?? new HelperLost("it has ended.");
      const id = ++asked;
      const answered = Promise.withResolvers<void>();
      const timer = setTimeout(() => lose(`it has not answered within ${answerMs / 1000} seconds.`), answerMs);
      waiting.set(id, answered);
      stream.write(`${JSON.stringify({ ...request, id })}\n`);
      return answered.promise.finally(() => {
        clearTimeout(timer);
        waiting.delete(id);
      });
    },
    end: async () => {
      if (lost !== undefined) return;
      const closed = once(stream, "close", { signal: AbortSignal.timeout(END_MS) }).catch(() => undefined);
      stream.end();
      await closed;
      stream.destroy();
    },
  };
}

/**
 * The first line that a helper gets is nothing to be understood, and it says so without a number. Any other answer without
 * one is an older helper's to what it does not understand.
 */
function answersTo(waiting: ReadonlyMap<number, PromiseWithResolvers<void>>, misunderstood: () => void) {
  let isFirst = true;
  return (line: string): void => {
    const answer = readAnswer(line);
    if (answer?.id === 0 && isFirst) isFirst = false;
    else if (answer === undefined || answer.id === 0 || answer.code === "sandboxd_mismatch") misunderstood();
    else settle(answer, waiting.get(answer.id));
  };
}

function settle({ code, message }: DiskAnswer, answered: PromiseWithResolvers<void> | undefined): void {
  if (code === undefined) answered?.resolve();
  else answered?.reject(new AppError(code, message ?? "The workspace's disk could not be mounted."));
}

function readAnswer(line: string): DiskAnswer | undefined {
  try {
    return DiskAnswer.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
