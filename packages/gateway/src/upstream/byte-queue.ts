/** Bytes on their way from one who pushes to one who pulls. */
export type ByteQueue = {
  push(chunk: Uint8Array): void;
  end(): void;
  /** What was pushed before is still given. */
  fail(reason: unknown): void;
  readonly bytes: AsyncIterableIterator<Uint8Array>;
};

export type QueueEvents = {
  /** More than enough is waiting. */
  full(): void;
  /** Nothing is waiting any more. */
  empty(): void;
  /** The one who pulls wants no more. */
  left(): void;
  /** Somebody begins to wait, or no longer does. */
  waiting(waits: boolean): void;
};

const FULL_BYTES = 256 * 1024;
const DONE = { done: true, value: undefined } as const;

type Waiter = {
  readonly resolve: (result: IteratorResult<Uint8Array>) => void;
  readonly reject: (reason: unknown) => void;
};
type Ending = { readonly failed: boolean; readonly reason?: unknown };

/** A queue for one reader, which never has two `next` open at a time. */
export function byteQueue(events: QueueEvents): ByteQueue {
  const stock = stockOf(events);
  let waiter: Waiter | undefined;
  let ending: Ending | undefined;

  const waitNoLonger = () => {
    const waiting = waiter;
    waiter = undefined;
    if (waiting) events.waiting(false);
    return waiting;
  };
  const finish = (how: Ending) => {
    if (ending) return;
    ending = how;
    const waiting = waitNoLonger();
    if (how.failed) waiting?.reject(how.reason);
    else waiting?.resolve(DONE);
  };
  const bytes: AsyncIterableIterator<Uint8Array> = {
    next() {
      const chunk = stock.take();
      if (chunk) return Promise.resolve({ done: false, value: chunk });
      if (ending) return ending.failed ? Promise.reject(asError(ending.reason)) : Promise.resolve(DONE);
      const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<Uint8Array>>();
      waiter = { resolve, reject };
      events.waiting(true);
      return promise;
    },
    return() {
      stock.clear();
      if (!ending) events.left();
      finish({ failed: false });
      return Promise.resolve(DONE);
    },
    [Symbol.asyncIterator]: () => bytes,
  };
  return {
    push(chunk) {
      if (ending || chunk.length === 0) return;
      const waiting = waitNoLonger();
      if (waiting) waiting.resolve({ done: false, value: chunk });
      else stock.put(chunk);
    },
    end: () => finish({ failed: false }),
    fail: (reason) => finish({ failed: true, reason }),
    bytes,
  };
}

/** What waits to be taken; tells when it is too much, and when it is all taken. */
function stockOf(events: Pick<QueueEvents, "full" | "empty">) {
  const chunks: Uint8Array[] = [];
  let size = 0;
  let paused = false;
  return {
    put(chunk: Uint8Array) {
      chunks.push(chunk);
      size += chunk.length;
      if (paused || size < FULL_BYTES) return;
      paused = true;
      events.full();
    },
    /** All of it in one piece: what came together goes on together. */
    take(): Uint8Array | undefined {
      const chunk = chunks.length > 1 ? Buffer.concat(chunks, size) : chunks[0];
      chunks.length = 0;
      size = 0;
      if (paused) {
        paused = false;
        events.empty();
      }
      return chunk;
    },
    clear() {
      chunks.length = 0;
      size = 0;
    },
  };
}

const asError = (reason: unknown) =>
  reason instanceof Error ? reason : new Error("The connection broke.", { cause: reason });
