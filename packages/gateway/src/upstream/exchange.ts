import { performance } from "node:perf_hooks";
import { AppError } from "@handrail/protocol/errors";
import type { Dispatcher } from "undici";
import type { Received } from "../ports/send.ts";
import { type ByteQueue, byteQueue } from "./byte-queue.ts";

/**
 * One request on its way. `idleMs`: how long there may be nothing, before the first byte and between any two. `totalMs`: how
 * long all of the answer may take.
 */
export type Outgoing = {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  readonly idleMs: number;
  readonly totalMs: number;
  /** What the reader of a body that breaks off is told. */
  readonly broken: (reason: unknown) => unknown;
  /** Called when there is a connection and the request is written to it. */
  readonly sent?: (() => void) | undefined;
};

/**
 * Posts to an origin, and gives the answer as soon as its head is there. When the signal aborts, or the body is no longer
 * read, the connection ends at once.
 *
 * @throws AppError `model_timeout`; the signal's reason; what undici throws when there is no answer
 */
export function exchange(origin: Dispatcher, outgoing: Outgoing, signal: AbortSignal): Promise<Received> {
  const { promise, resolve, reject } = Promise.withResolvers<Received>();
  if (signal.aborted) {
    reject(asError(signal.reason));
    return promise;
  }
  const line = wire(reject, outgoing, signal);
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(controller) {
      line.began(controller);
      outgoing.sent?.();
    },
    onResponseStart(_, status, headers) {
      if (status < 200) return;
      line.touch();
      resolve({ status, headers: flat(headers), body: line.queue.bytes });
    },
    onResponseData: (_, chunk) => line.push(chunk),
    onResponseEnd: () => line.ended(),
    onResponseError: (_, error) => line.stop(error),
  };
  const { path, headers, body } = outgoing;
  try {
    // Our own clock is finer than undici's, and stands still while the client does not read.
    const timeouts = { headersTimeout: 0, bodyTimeout: 0 };
    origin.dispatch({ path, method: "POST", headers, body, ...timeouts }, handler);
  } catch (thrown) {
    line.stop(thrown);
  }
  return promise;
}

type Wire = {
  readonly queue: ByteQueue;
  began(controller: Dispatcher.DispatchController): void;
  touch(): void;
  push(chunk: Uint8Array): void;
  ended(): void;
  stop(reason: unknown): void;
};

type Times = Pick<Outgoing, "idleMs" | "totalMs">;
type Ends = Times & Pick<Outgoing, "broken">;

/** A connection's end on this side: its clock, its queue, and what ends it. */
function wire(reject: (reason: unknown) => void, ends: Ends, signal: AbortSignal): Wire {
  let controller: Dispatcher.DispatchController | undefined;
  let over: { readonly reason: unknown } | undefined;

  const close = (reason: unknown) => {
    if (over) return false;
    over = { reason };
    clock.stop();
    signal.removeEventListener("abort", onAbort);
    return true;
  };
  const stop = (reason: unknown) => {
    if (!close(reason)) return;
    controller?.abort(asError(reason));
    queue.fail(ends.broken(reason));
    reject(asError(reason));
  };
  const onAbort = () => stop(signal.reason);
  const clock = startClock(ends, stop);
  signal.addEventListener("abort", onAbort, { once: true });
  const queue = byteQueue({
    full: () => controller?.pause(),
    empty: () => controller?.resume(),
    left: () => stop(new Error("The answer was not read to its end.")),
    waiting: (now) => clock.waiting(now),
  });
  return {
    queue,
    began(started) {
      controller = started;
      if (over) started.abort(asError(over.reason));
    },
    touch: () => clock.waiting(false),
    push: (chunk) => queue.push(chunk),
    ended() {
      if (close(undefined)) queue.end();
    },
    stop,
  };
}

/** How much later than it should a silence may be noticed. */
const LATE_SHARE = 1 / 16;

/**
 * Ends what takes too long. Nothing is waited for while there is no reader. Looking at the clock for every chunk would cost more
 * than most that is done for one; so a silence is counted from the first look at it.
 */
function startClock({ idleMs, totalMs }: Times, end: (reason: AppError) => void) {
  let waits = true;
  let since: number | undefined = performance.now();
  const over = () => waits && since !== undefined && performance.now() - since >= idleMs;
  const look = () => {
    since ??= performance.now();
    // What came while this process was busy is read first.
    if (over()) last = setImmediate(() => over() && end(timeout(idleMs)));
  };
  let last: NodeJS.Immediate | undefined;
  const idle = setInterval(look, Math.ceil(idleMs * LATE_SHARE));
  const whole = setTimeout(() => end(tooLong(totalMs)), totalMs);
  return {
    /** Whether somebody waits for bytes from now on. */
    waiting(now: boolean) {
      waits = now;
      since = undefined;
    },
    stop() {
      clearInterval(idle);
      clearImmediate(last);
      clearTimeout(whole);
    },
  };
}

function timeout(ms: number): AppError {
  return new AppError("model_timeout", `The model sent nothing for ${Math.ceil(ms / 1000)} seconds.`);
}

function tooLong(ms: number): AppError {
  return new AppError("model_timeout", `The model did not finish its answer within ${Math.ceil(ms / 1000)} seconds.`);
}

function flat(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const flattened: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) flattened[name] = typeof value === "string" ? value : value.join(", ");
  }
  return flattened;
}

const asError = (reason: unknown) => (reason instanceof Error ? reason : new Error("Aborted.", { cause: reason }));
