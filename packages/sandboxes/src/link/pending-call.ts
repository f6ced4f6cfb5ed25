import type { CallOptions } from "@handrail/core/ports/sandbox";
import { AppError, isErrorCode } from "@handrail/protocol/errors";
import type { FromSandboxd, WireOutcome } from "@handrail/protocol/sandboxd/from-sandboxd";
import type { ToSandboxd } from "@handrail/protocol/sandboxd/to-sandboxd";
import { OPERATIONS, type OperationName } from "@handrail/protocol/sandboxd/operations";
import { z } from "zod";

type Output = Extract<FromSandboxd, { type: "output" }>;
type Message = Extract<ToSandboxd, { type: "call" }>;

const MAX_MESSAGE = 4000;
const MAX_DETAILS = 20;

/** A call that has not ended, for as long as somebody waits for it. */
export class PendingCall {
  readonly id: string;
  readonly operation: OperationName;
  readonly #args: Message["args"];
  /** The argument `data`, where it is bytes. They go before each `message()`. */
  readonly bytes: Uint8Array | undefined;
  readonly #keep: boolean;
  readonly #onOutput: CallOptions["onOutput"];
  readonly #done = Promise.withResolvers<unknown>();
  #outputFrom: number;

  constructor(id: string, operation: OperationName, args: unknown, options: CallOptions & { readonly keep: boolean }) {
    this.id = id;
    this.operation = operation;
    const { json, bytes } = withoutBytes(args);
    this.#args = z.json().parse(json);
    this.bytes = bytes;
    this.#keep = options.keep;
    this.#onOutput = options.onOutput;
    this.#outputFrom = options.outputFrom ?? 0;
  }

  /** The result, checked. @throws AppError with the operation's own code */
  get done(): Promise<unknown> {
    return this.#done.promise;
  }

  /** What starts the call, or attaches to it where the last output ended. */
  message(): Message {
    const { id, operation } = this;
    const from = this.#onOutput === undefined ? {} : { outputFrom: this.#outputFrom };
    const has = this.bytes === undefined ? {} : { bytes: true };
    return { type: "call", id, operation, args: this.#args, ...has, keep: this.#keep, ...from };
  }

  output({ offset, data }: Output): void {
    const bytes = Buffer.from(data, "base64");
    this.#outputFrom = offset + bytes.length;
    this.#onOutput?.(offset, bytes);
  }

  end(outcome: WireOutcome): void {
    if (!outcome.ok) {
      this.fail(readError(outcome.error));
      return;
    }
    const result = OPERATIONS[this.operation].result.safeParse(outcome.result);
    if (result.success) this.#done.resolve(result.data);
    else this.fail(new AppError("sandboxd_protocol", "The sandbox answered with something else than a result."));
  }

  fail(reason: unknown): void {
    this.#done.reject(reason);
  }
}

function withoutBytes(args: unknown): { readonly json: unknown; readonly bytes: Uint8Array | undefined } {
  const { data, ...json } = args as { readonly data?: unknown };
  return data instanceof Uint8Array ? { json, bytes: data } : { json: args, bytes: undefined };
}

function readError({ code, message, details }: Extract<WireOutcome, { ok: false }>["error"]): AppError {
  const some = Object.fromEntries(Object.entries(details).filter(isDetail).slice(0, MAX_DETAILS).map(shortened));
  return new AppError(isErrorCode(code) ? code : "internal", message.slice(0, MAX_MESSAGE), some);
}

type Detail = [string, string | number | boolean];

const isDetail = (entry: [string, unknown]): entry is Detail =>
  ["string", "number", "boolean"].includes(typeof entry[1]);

function shortened([name, value]: Detail): Detail {
  return [name.slice(0, 100), typeof value === "string" ? value.slice(0, MAX_MESSAGE) : value];
}
