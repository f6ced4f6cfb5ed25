import { AppError } from "@handrail/protocol/errors";
import type { WireOutcome } from "@handrail/protocol/sandboxd/from-sandboxd";
import type { ToSandboxd } from "@handrail/protocol/sandboxd/to-sandboxd";
import { OPERATIONS, type OperationName } from "@handrail/protocol/sandboxd/operations";
import { config, locales, prettifyError } from "zod/mini";
import type { CallContext, Handlers } from "../handlers.ts";
import type { Rest } from "../rest.ts";
import { Call, type Waiter } from "./call.ts";

// What is wrong with arguments is said in words.
config(locales.en());

type CallMessage = Omit<Extract<ToSandboxd, { type: "call" }>, "args"> & { readonly args: unknown };

const MAX_RUNNING = 1000;
/** Outcomes beyond this many bytes are forgotten, the oldest first; that they were is not. */
const MAX_KEPT_BYTES = 64 * 1024 * 1024;
/** How long the outcome of a call that nobody waited for is kept, when it is not a kept one. */
const UNKEPT_MS = 60_000;

const LOST: WireOutcome = {
  ok: false,
  error: { code: "call_lost", message: "The outcome was not fetched in time and is gone.", details: {} },
};

/** Every call that sandboxd knows, by id. */
export class Calls {
  readonly #handlers: Handlers;
  readonly #rest: Rest;
  readonly #calls = new Map<string, Call>();
  readonly #sizes = new Map<string, number>();
  #running = 0;

  constructor(handlers: Handlers, rest: Rest) {
    this.#handlers = handlers;
    this.#rest = rest;
  }

  get running(): number {
    return this.#running;
  }

  /** Starts the call, or attaches to it when its id is known. */
  start(message: CallMessage, waiter: Waiter): void {
    const known = this.#calls.get(message.id);
    if (known !== undefined) {
      known.attach(waiter, message.outputFrom);
      if (!known.keep && known.outcome !== undefined) this.#forget(known.id);
      return;
    }
    const call = new Call(message.id, message.keep);
    this.#calls.set(message.id, call);
    call.attach(waiter, message.outputFrom);
    this.#run(call, message).catch(() => {});
  }

  cancel(id: string): void {
    this.#calls.get(id)?.cancel();
  }

  acknowledge(ids: readonly string[]): void {
    for (const id of ids) if (this.#calls.get(id)?.outcome !== undefined) this.#forget(id);
  }

  status(id: string): "unknown" | "running" | "ended" {
    const call = this.#calls.get(id);
    if (call === undefined) return "unknown";
    return call.outcome === undefined ? "running" : "ended";
  }

  /** Calls go on without it. */
  detach(waiter: Waiter): void {
    for (const call of this.#calls.values()) call.detach(waiter);
  }

  async #run(call: Call, message: CallMessage): Promise<void> {
    let waited = false;
    this.#running++;
    this.#rest.begun(message.operation);
    await call.run(async (context) => {
      const result = await this.#operate(message, context);
      waited = call.waited;
      return result;
    });
    this.#running--;
    this.#rest.ended(message.operation);
    if (call.keep) this.#weigh(call);
    else if (waited) this.#forget(call.id);
    else setTimeout(() => this.#forget(call.id), UNKEPT_MS).unref();
  }

  async #operate(message: CallMessage, context: CallContext): Promise<unknown> {
    const name = operationName(message.operation);
    if (this.#running > MAX_RUNNING) throw new AppError("limit_reached", `${MAX_RUNNING} calls are running already.`);
    const args = OPERATIONS[name].args.safeParse(message.args);
    if (!args.success) throw new AppError("tool_arguments", prettifyError(args.error));
    const handler = this.#handlers[name] as (args: unknown, context: CallContext) => Promise<unknown>;
    return handler(args.data, context);
  }

  #weigh(call: Call): void {
    this.#sizes.set(call.id, JSON.stringify(call.outcome).length);
    let total = 0;
    for (const size of this.#sizes.values()) total += size;
    for (const [id, size] of this.#sizes) {
      if (total <= MAX_KEPT_BYTES) return;
      const oldest = this.#calls.get(id);
      if (oldest !== undefined) oldest.outcome = LOST;
      this.#sizes.delete(id);
      total -= size;
    }
  }

  #forget(id: string): void {
    this.#calls.delete(id);
    this.#sizes.delete(id);
  }
}

function operationName(name: string): OperationName {
  if (Object.hasOwn(OPERATIONS, name)) return name as OperationName;
  throw new AppError("tool_unknown", "This sandbox does not know the operation.", { operation: name.slice(0, 100) });
}
