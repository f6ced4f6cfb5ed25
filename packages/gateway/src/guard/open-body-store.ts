import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BodyStore, Exchange } from "../ports/guard.ts";
import { bodyPath, diskBytes, pruneBodies } from "./body-files.ts";
import { keptExchange } from "./kept-exchange.ts";

export type BodyStoreOptions = {
  /** Made when it is needed, for this user alone. */
  readonly directory: string;
  /** How long a call's bodies are kept. */
  readonly keepMs: number;
  /** Of one body. */
  readonly maxBytes: number;
  /** Of all of them. */
  readonly maxTotalBytes: number;
  /** Unix milliseconds; the clock when undefined. */
  readonly now?: () => number;
  /** Is told, once until it works again, that bodies cannot be kept. */
  readonly onTrouble?: (thrown: unknown) => void;
};

/** A secret at the cut is seen whole. */
const BEYOND = 8192;
/** What waits to be written; calls that come while the disk is that much behind are not kept. */
const MAX_WAITING = 32 * 1024 * 1024;
const HOUR_MS = 3_600_000;

/** A file for each call, below a directory for each day. What is too old goes at the start, and every hour. */
export function openBodyStore(options: BodyStoreOptions): BodyStore {
  const { directory, keepMs, maxBytes, maxTotalBytes, now = Date.now } = options;
  const queue = workQueue(options.onTrouble);
  let total = 0;

  const prune = async () => {
    total = await pruneBodies(directory, { oldest: now() - keepMs, maxTotalBytes });
  };
  const write = async (exchange: Exchange) => {
    const { day, file } = bodyPath(exchange.at, exchange.callId);
    const text = `${JSON.stringify(keptExchange(exchange, maxBytes))}\n`;
    await mkdir(join(directory, day), { recursive: true, mode: 0o700 });
    await writeFile(join(directory, day, file), text, { mode: 0o600, flag: "wx" });
    total += diskBytes(Buffer.byteLength(text));
    if (total > maxTotalBytes) await prune();
  };
  queue.add(0, prune);
  const timer = setInterval(() => queue.add(0, prune), HOUR_MS).unref();
  return {
    maxBytes: maxBytes + BEYOND,
    keep: (exchange) => queue.add(exchange.request.length + exchange.answer.length, () => write(exchange)),
    async close() {
      clearInterval(timer);
      await queue.idle();
    },
  };
}

/** Does one thing after the other, and holds on to a bounded number of bytes. */
function workQueue(onTrouble: BodyStoreOptions["onTrouble"]) {
  let last = Promise.resolve();
  let waiting = 0;
  let troubled = false;
  const note = (thrown: unknown) => {
    if (!troubled) onTrouble?.(thrown);
    troubled = true;
  };
  const run = async (work: () => Promise<void>) => {
    try {
      await work();
      troubled = false;
    } catch (thrown) {
      note(thrown);
    }
  };
  return {
    add(bytes: number, work: () => Promise<void>): void {
      if (waiting + bytes > MAX_WAITING) {
        note(new Error("Bodies of calls come faster than they can be written."));
        return;
      }
      waiting += bytes;
      last = last.then(() => run(work)).then(() => void (waiting -= bytes));
    },
    idle: () => last,
  };
}
