import { Worker } from "node:worker_threads";
import type { JobBuilder, Stats, WriteReply } from "../native/write-job.ts";

declare const WRITER_THREAD: string | undefined;

/** In the one program that `build.ts` makes it has another place. */
const THREAD = new URL(typeof WRITER_THREAD === "string" ? WRITER_THREAD : "./writer-thread.ts", import.meta.url);
/** Enough that the thread always has a next one. */
const MAX_WAITING = 10;

/** A thread that writes new files beside the main one: most of that time is the kernel's. Close it after use. */
export class Writer {
  /** How many jobs the thread has ended, told before its replies come: those wait for a turn of the event loop. */
  readonly #ends = new Int32Array(new SharedArrayBuffer(4));
  readonly #worker = new Worker(THREAD, { workerData: this.#ends });
  readonly #jobs = new Map<number, (reply: WriteReply | undefined) => void>();
  #lastId = 0;
  #ended = false;

  constructor() {
    this.#worker.on("message", (reply: WriteReply) => this.#end(reply.id, reply));
    this.#worker.on("error", (error) => {
      process.stderr.write(`sandboxd writes files by one thread alone: ${String(error)}\n`);
      this.#endAll();
    });
    this.#worker.on("exit", () => this.#endAll());
  }

  /** Whether it would begin soon with something more. */
  get hasRoom(): boolean {
    return !this.#ended && this.#lastId - Atomics.load(this.#ends, 0) < MAX_WAITING;
  }

  /** Writes files as `WriteFiles`; undefined when the thread has ended. The directory stays open until then. */
  async write(directory: number, files: JobBuilder): Promise<Stats | undefined> {
    const job = files.build(++this.#lastId, directory);
    const reply = await new Promise<WriteReply | undefined>((resolve) => {
      this.#jobs.set(job.id, resolve);
      this.#worker.postMessage(job, [job.content.buffer, job.names.buffer, job.numbers.buffer]);
      if (this.#ended) this.#endAll();
    });
    return reply?.stats;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #end(id: number, reply: WriteReply | undefined): void {
    this.#jobs.get(id)?.(reply);
    this.#jobs.delete(id);
  }

  #endAll(): void {
    this.#ended = true;
    for (const id of this.#jobs.keys()) this.#end(id, undefined);
  }
}
