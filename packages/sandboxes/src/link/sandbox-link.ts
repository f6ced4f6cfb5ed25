import { randomUUID } from "node:crypto";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { CallOptions, Sandbox } from "@handrail/core/ports/sandbox";
import { AppError, toAppError } from "@handrail/protocol/errors";
import type { FromSandboxd } from "@handrail/protocol/sandboxd/from-sandboxd";
import type { OperationArgs, OperationName, OperationResult } from "@handrail/protocol/sandboxd/operations";
import { LinkConnection, type Welcome } from "./link-connection.ts";
import { PendingCall } from "./pending-call.ts";

export type LinkOptions = Pick<Sandbox, "sandboxId" | "backend"> & {
  /** Makes a new connection to sandboxd. Called again when one breaks. */
  readonly connect: (signal: AbortSignal) => Promise<Duplex>;
  readonly token?: string;
  /** Takes over a connection that a program in the sandbox made to the proxy. */
  readonly onEgress: (stream: Duplex) => void;
  /** Whether the sandbox still runs; asked when the connection cannot be made. Absent: nobody knows. */
  readonly isAlive?: () => Promise<boolean>;
  /** Ends the first attempt to connect. */
  readonly signal?: AbortSignal;
  /** How long a broken connection is retried before the sandbox counts as gone. Default 10 s. */
  readonly giveUpMs?: number;
};

/** A sandbox, and the way to let go of it: `close` ends the connection, the sandbox runs on, pending calls reject. */
export type SandboxLink = Sandbox & {
  /** What sandboxd said of itself. */
  readonly welcome: Welcome;
  close(): void;
};

type State = "unknown" | "running" | "ended";

const MIN_BACKOFF_MS = 20;
const MAX_BACKOFF_MS = 1000;
const GIVE_UP_MS = 10_000;
/** Between attempts it is asked whether the sandbox is alive. */
const ATTEMPT_MS = 1000;
const MAX_UNSENT_ACKNOWLEDGEMENTS = 100_000;

/** Doing these twice makes a difference, so they are kept until we have the outcome, whatever happens on the way. */
const CHANGING: ReadonlySet<OperationName> = new Set([
  ...(["terminal.run", "terminal.send", "terminal.kill", "terminal.type", "terminal.wait"] as const),
  ...(["file.write", "file.edit", "process.run"] as const),
]);

/**
 * Connects to the sandboxd of a running sandbox, and keeps the connection.
 * @throws AppError `sandboxd_mismatch`, `forbidden`, `sandboxd_protocol`, `sandbox_failed` when the connection broke at once,
 * what `connect` throws; the signal's reason when aborted. Tries once
 */
export async function openLink(options: LinkOptions): Promise<SandboxLink> {
  const link = new Link(options);
  await link.open();
  return link;
}

class Link implements SandboxLink {
  readonly sandboxId: string;
  readonly backend: Sandbox["backend"];
  readonly gone: Promise<string>;
  readonly #options: LinkOptions;
  readonly #closed = new AbortController();
  readonly #pending = new Map<string, Set<PendingCall>>();
  readonly #asked = new Map<string, Set<PromiseWithResolvers<State>>>();
  readonly #tickets = new Map<string, (stream: Duplex) => void>();
  readonly #gone = Promise.withResolvers<string>();
  #acknowledged: string[] = [];
  #connection: LinkConnection | undefined;
  #welcome: Welcome | undefined;
  #lost: string | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.sandboxId = options.sandboxId;
    this.backend = options.backend;
    this.gone = this.#gone.promise;
  }

  get welcome(): Welcome {
    if (this.#welcome === undefined) throw new AppError("sandbox_gone", "The sandbox was never reached.");
    return this.#welcome;
  }

  get bootId(): string {
    return this.welcome.bootId;
  }

  async open(): Promise<void> {
    const { signal } = this.#options;
    const either = signal === undefined ? this.#closed.signal : AbortSignal.any([this.#closed.signal, signal]);
    await this.#connect(either, either);
  }

  async call<Name extends OperationName>(
    operation: Name,
    args: OperationArgs<Name>,
    options: CallOptions,
  ): Promise<OperationResult<Name>> {
    options.signal.throwIfAborted();
    if (this.#lost !== undefined) throw this.#goneError();
    const keep = options.id !== undefined || CHANGING.has(operation);
    const call = new PendingCall(options.id ?? `n.${randomUUID()}`, operation, args, { ...options, keep });
    const onAbort = (): void => this.#abort(call, options.signal.reason);
    options.signal.addEventListener("abort", onAbort);
    this.#add(call);
    try {
      return (await call.done) as OperationResult<Name>;
    } finally {
      options.signal.removeEventListener("abort", onAbort);
      this.#remove(call);
      if (options.id === undefined && keep) this.acknowledge([call.id]);
    }
  }

  async connect(port: number, signal: AbortSignal): Promise<Duplex> {
    const ticket = randomUUID();
    let stream: Duplex | undefined;
    this.#tickets.set(ticket, (opened) => (stream = opened));
    try {
      await this.call("port.connect", { port, ticket }, { signal });
    } catch (thrown) {
      stream?.destroy();
      throw thrown;
    } finally {
      this.#tickets.delete(ticket);
    }
    if (stream === undefined) throw new AppError("sandboxd_protocol", "The sandbox opened no channel for the port.");
    return stream;
  }

  async status(id: string): Promise<State> {
    if (this.#lost !== undefined) throw this.#goneError();
    const answer = Promise.withResolvers<State>();
    this.#asked.set(id, (this.#asked.get(id) ?? new Set()).add(answer));
    this.#connection?.send({ type: "status", id });
    return answer.promise;
  }

  acknowledge(ids: readonly string[]): void {
    if (ids.length === 0 || this.#lost !== undefined) return;
    if (this.#connection !== undefined) this.#connection.send({ type: "ack", ids: [...ids] });
    else this.#acknowledged = [...this.#acknowledged, ...ids].slice(-MAX_UNSENT_ACKNOWLEDGEMENTS);
  }

  close(): void {
    this.#lose("The server let go of the sandbox.");
  }

  /** `patience` is for the connection alone: one that was made too late by that is as good as another. */
  async #connect(patience: AbortSignal, signal: AbortSignal): Promise<void> {
    patience.throwIfAborted();
    const stream = await this.#options.connect(patience);
    const connection: LinkConnection = new LinkConnection(stream, {
      onMessage: (message) => this.#onMessage(message),
      onEgress: this.#options.onEgress,
      onPort: (ticket, stream) => this.#onPort(ticket, stream),
      onBroken: () => this.#onBroken(connection),
    });
    const stop = (): void => connection.close();
    signal.addEventListener("abort", stop);
    try {
      signal.throwIfAborted();
      const welcome = await connection.greet(this.#options.token ?? "");
      signal.throwIfAborted();
      this.#onWelcome(connection, welcome);
    } catch (thrown) {
      connection.close();
      signal.throwIfAborted();
      throw thrown;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  #onWelcome(connection: LinkConnection, welcome: Welcome): void {
    if (this.#welcome !== undefined && welcome.bootId !== this.#welcome.bootId) {
      connection.close();
      this.#lose("The sandbox was started anew, and what ran in it is gone.");
      return;
    }
    this.#welcome = welcome;
    this.#connection = connection;
    for (const calls of this.#pending.values()) for (const call of calls) connection.send(call.message(), call.bytes);
    for (const id of this.#asked.keys()) connection.send({ type: "status", id });
    const ids = this.#acknowledged;
    this.#acknowledged = [];
    this.acknowledge(ids);
  }

  #onBroken(connection: LinkConnection): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    if (this.#lost === undefined) this.#reconnect().catch((thrown: unknown) => this.#lose(toAppError(thrown).message));
  }

  async #reconnect(): Promise<void> {
    const deadline = performance.now() + (this.#options.giveUpMs ?? GIVE_UP_MS);
    let backoffMs = MIN_BACKOFF_MS;
    while (this.#lost === undefined && this.#connection === undefined) {
      const left = deadline - performance.now();
      if (left <= 0) return this.#lose("The sandbox could not be reached again.");
      const { signal } = this.#closed;
      const patience = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(Math.min(left, ATTEMPT_MS)))]);
      const failure = await this.#connect(patience, signal).then(() => undefined, toAppError);
      if (failure === undefined) return;
      if (failure.code === "sandboxd_mismatch" || failure.code === "forbidden") return this.#lose(failure.message);
      if ((await this.#isAlive()) === false) return this.#lose("The sandbox has ended.");
      await sleep(backoffMs, undefined, { signal }).catch(() => {});
      backoffMs = Math.min(MAX_BACKOFF_MS, backoffMs * 2);
    }
  }

  async #isAlive(): Promise<boolean | undefined> {
    return this.#options.isAlive?.().catch(() => undefined);
  }

  #onMessage(message: Extract<FromSandboxd, { type: "output" | "ended" | "status" }>): void {
    if (message.type === "status") {
      for (const answer of this.#asked.get(message.id) ?? []) answer.resolve(message.state);
      this.#asked.delete(message.id);
      return;
    }
    for (const call of this.#pending.get(message.id) ?? []) {
      if (message.type === "output") call.output(message);
      else call.end(message.outcome);
    }
  }

  /** The first stream for a ticket is the one that was asked for. */
  #onPort(ticket: string, stream: Duplex): void {
    const take = this.#tickets.get(ticket);
    this.#tickets.delete(ticket);
    if (take === undefined) stream.destroy();
    else take(stream);
  }

  #add(call: PendingCall): void {
    this.#pending.set(call.id, (this.#pending.get(call.id) ?? new Set()).add(call));
    this.#connection?.send(call.message(), call.bytes);
  }

  #remove(call: PendingCall): void {
    const calls = this.#pending.get(call.id);
    calls?.delete(call);
    if (calls?.size === 0) this.#pending.delete(call.id);
  }

  #abort(call: PendingCall, reason: unknown): void {
    this.#connection?.send({ type: "cancel", id: call.id });
    call.fail(reason);
  }

  #lose(how: string): void {
    if (this.#lost !== undefined) return;
    this.#lost = how;
    this.#closed.abort(this.#goneError());
    this.#connection?.close();
    for (const calls of this.#pending.values()) for (const call of calls) call.fail(this.#goneError());
    for (const answers of this.#asked.values()) for (const answer of answers) answer.reject(this.#goneError());
    this.#asked.clear();
    this.#gone.resolve(how);
  }

  #goneError(): AppError {
    return new AppError("sandbox_gone", this.#lost ?? "The sandbox is gone.");
  }
}
