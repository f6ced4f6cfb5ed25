import { toAppError } from "@handrail/protocol/errors";
import type { WireOutcome } from "@handrail/protocol/sandboxd/from-sandboxd";
import type { CallContext } from "../handlers.ts";
import type { Feed } from "../terminals/feed.ts";
import { OutputPump } from "./output-pump.ts";

/** Who waits for a call: a connection. */
export type Waiter = {
  readonly congested: boolean;
  output(id: string, offset: number, bytes: Uint8Array): void;
  ended(id: string, outcome: WireOutcome): void;
};

/** One call, from its start until its outcome is forgotten. It belongs to no connection. */
export class Call {
  readonly id: string;
  readonly keep: boolean;
  outcome: WireOutcome | undefined;
  readonly #stop = new AbortController();
  readonly #waiters = new Map<Waiter, { from: number | undefined; pump?: OutputPump }>();
  #feed: Feed | undefined;

  constructor(id: string, keep: boolean) {
    this.id = id;
    this.keep = keep;
  }

  /** Runs the operation. Settles when the outcome is there and told to all who wait. Never rejects. */
  async run(operation: (context: CallContext) => Promise<unknown>): Promise<void> {
    const context = { id: this.id, signal: this.#stop.signal, feed: (feed: Feed) => this.#follow(feed) };
    const outcome = await outcomeOf(() => operation(context));
    this.outcome = outcome;
    for (const [waiter, { pump }] of this.#waiters) {
      pump?.finish();
      waiter.ended(this.id, outcome);
    }
    this.#waiters.clear();
  }

  get waited(): boolean {
    return this.#waiters.size > 0;
  }

  /** Tells `waiter` of the outcome, and before that of the output from `from` on, if it is given. */
  attach(waiter: Waiter, from: number | undefined): void {
    this.detach(waiter);
    if (this.outcome !== undefined) {
      if (this.#feed !== undefined && from !== undefined) this.#pump(waiter, this.#feed, from).finish();
      waiter.ended(this.id, this.outcome);
      return;
    }
    this.#waiters.set(waiter, { from });
    if (this.#feed !== undefined) this.#follow(this.#feed);
  }

  detach(waiter: Waiter): void {
    this.#waiters.get(waiter)?.pump?.close();
    this.#waiters.delete(waiter);
  }

  cancel(): void {
    this.#stop.abort();
  }

  #follow(feed: Feed): void {
    this.#feed = feed;
    for (const [waiter, state] of this.#waiters) {
      if (state.from !== undefined) state.pump ??= this.#pump(waiter, feed, state.from);
    }
  }

  #pump(waiter: Waiter, feed: Feed, from: number): OutputPump {
    return new OutputPump(feed, from, {
      get congested() {
        return waiter.congested;
      },
      output: (offset, bytes) => waiter.output(this.id, offset, bytes),
    });
  }
}

async function outcomeOf(operation: () => Promise<unknown>): Promise<WireOutcome> {
  try {
    return { ok: true, result: await operation() };
  } catch (thrown) {
    const { code, message, details } = toAppError(thrown).toJSON();
    const cause = thrown instanceof Error && code === "internal" ? { cause: thrown.message.slice(0, 500) } : {};
    return { ok: false, error: { code, message, details: { ...details, ...cause } } };
  }
}
