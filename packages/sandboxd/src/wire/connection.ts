import type { Duplex } from "node:stream";
import { Channel } from "@handrail/channels/channel";
import { AppError, toAppError } from "@handrail/protocol/errors";
import {
  BYTES_CHANNEL,
  encodeFrame,
  frameDecoder,
  MAX_FRAME_BYTES,
  SANDBOXD_PROTOCOL,
  type Frame,
} from "@handrail/protocol/sandboxd/frames";
import type { FromSandboxd } from "@handrail/protocol/sandboxd/from-sandboxd";
import type { ToSandboxd } from "@handrail/protocol/sandboxd/to-sandboxd";
import type { WireOutcome } from "@handrail/protocol/sandboxd/from-sandboxd";
import type { Late } from "../late.ts";
import type { Work } from "../work.ts";
import type { Waiter } from "./call.ts";

export type Welcome = Omit<Extract<FromSandboxd, { type: "welcome" }>, "type" | "protocol">;

export type ConnectionOptions = {
  /** Loaded for the first message after hello. */
  readonly work: Late<Work>;
  readonly welcome: Welcome;
  /** Undefined: whoever can connect may. */
  readonly token: string | undefined;
};

type Message<Type extends ToSandboxd["type"]> = Extract<ToSandboxd, { type: Type }>;

const HELLO_MS = 10_000;
const CONGESTED_BYTES = 512 * 1024;
const MAX_UNSENT_BYTES = 128 * 1024 * 1024;
const MAX_CHANNELS = 1000;

/** One server that is connected. A message that breaks the protocol ends the connection, and nothing else. */
export class Connection implements Waiter {
  /** Settles once the server has been welcomed: true, or refused or lost: false. */
  readonly welcomed: Promise<boolean>;
  readonly #stream: Duplex;
  readonly #options: ConnectionOptions;
  readonly #channels = new Map<number, Channel>();
  #settle: (welcomed: boolean) => void = () => {};
  #greeted = false;
  #lastChannel = 0;
  /** What came before the work was loaded. */
  #early: Frame[] = [];
  /** Of the call that comes next. */
  #bytes: Uint8Array | undefined;

  constructor(stream: Duplex, options: ConnectionOptions) {
    this.#stream = stream;
    this.#options = options;
    this.welcomed = new Promise((resolve) => (this.#settle = resolve));
    const decode = frameDecoder();
    const timer = setTimeout(() => stream.destroy(), HELLO_MS);
    this.welcomed.then(() => clearTimeout(timer)).catch(() => {});
    stream.on("data", (bytes: Buffer) => {
      try {
        for (const frame of decode(bytes)) this.#onFrame(frame);
      } catch (thrown) {
        this.#refuse("sandboxd_protocol", toAppError(thrown).message);
      }
    });
    stream.on("error", () => stream.destroy());
    stream.on("end", () => stream.destroy());
    stream.on("close", () => this.#onClose());
  }

  get congested(): boolean {
    return this.#stream.writableLength > CONGESTED_BYTES;
  }

  get open(): boolean {
    return this.#greeted && !this.#stream.destroyed;
  }

  output(id: string, offset: number, bytes: Uint8Array): void {
    this.#send({ type: "output", id, offset, data: Buffer.from(bytes).toString("base64") });
  }

  ended(id: string, outcome: WireOutcome): void {
    const payload = textOf({ type: "ended", id, outcome });
    this.#write(0, payload.length > MAX_FRAME_BYTES ? textOf({ type: "ended", id, outcome: TOO_LARGE }) : payload);
  }

  /** Asks the server for a stream; undefined when there are too many. */
  openChannel(kind: "egress" | "port", ticket?: string): Channel | undefined {
    if (this.#channels.size >= MAX_CHANNELS) return undefined;
    const id = ++this.#lastChannel;
    const channel = new Channel({
      send: (bytes, sent) => this.#write(id, bytes, sent),
      credit: (bytes) => this.#send({ type: "channel.credit", channel: id, bytes }),
      close: () => {
        this.#send({ type: "channel.close", channel: id });
        this.#channels.delete(id);
      },
    });
    this.#channels.set(id, channel);
    this.#send({ type: "channel.open", channel: id, kind, ...(ticket === undefined ? {} : { ticket }) });
    return channel;
  }

  close(): void {
    this.#stream.destroy();
  }

  #onFrame(frame: Frame): void {
    const { work } = this.#options;
    if (!this.#greeted) {
      // Of a stranger nothing else is kept.
      if (frame.channel === 0) this.#onHello(readHello(frame.payload));
    } else if (work.loaded !== undefined && this.#early.length === 0) this.#onLater(work.loaded, frame);
    else if (this.#early.push(frame) === 1) this.#takeEarly();
  }

  #takeEarly(): void {
    const take = (work: Work): void => {
      for (const frame of this.#early) if (this.open) this.#onLater(work, frame);
      this.#early = [];
    };
    this.#options.work
      .load()
      .then(take)
      .catch((thrown: unknown) => this.#refuse("sandboxd_protocol", toAppError(thrown).message));
  }

  #onLater(work: Work, { channel, payload }: Frame): void {
    if (channel === BYTES_CHANNEL) {
      this.#bytes = payload;
      return;
    }
    if (channel !== 0) {
      this.#channels.get(channel)?.receive(payload);
      return;
    }
    const message = work.read(jsonOf(payload));
    if (message.type === "hello") this.#onHello(message);
    else this.#onMessage(work, message);
  }

  #onHello(hello: Message<"hello">): void {
    const { token, welcome } = this.#options;
    if (hello.protocol !== SANDBOXD_PROTOCOL) {
      const message = `This sandbox speaks protocol ${SANDBOXD_PROTOCOL}, the server ${hello.protocol}. Start a new sandbox.`;
      this.#refuse("sandboxd_mismatch", message);
    } else if (token !== undefined && !same(token, hello.token)) {
      this.#refuse("forbidden", "The token for this sandbox is wrong.");
    } else {
      this.#greeted = true;
      this.#send({ type: "welcome", protocol: SANDBOXD_PROTOCOL, ...welcome });
      this.#settle(true);
    }
  }

  #onMessage({ calls }: Work, message: Exclude<ToSandboxd, Message<"hello">>): void {
    switch (message.type) {
      case "call":
        return calls.start({ ...message, args: this.#argsOf(message) }, this);
      case "cancel":
        return calls.cancel(message.id);
      case "ack":
        return calls.acknowledge(message.ids);
      case "status":
        return this.#send({ type: "status", id: message.id, state: calls.status(message.id) });
      case "ping":
        return this.#send({ type: "pong", id: message.id });
      case "channel.credit":
        return this.#channels.get(message.channel)?.credited(message.bytes);
      case "channel.close":
        this.#channels.get(message.channel)?.closedByPeer();
        this.#channels.delete(message.channel);
    }
  }

  #argsOf({ args, bytes }: Message<"call">): unknown {
    const data = this.#bytes;
    this.#bytes = undefined;
    return bytes === true ? Object.assign({}, args, { data }) : args;
  }

  #refuse(code: "sandboxd_mismatch" | "sandboxd_protocol" | "forbidden", message: string): void {
    this.#send({ type: "refused", code, message });
    this.#stream.end();
    setTimeout(() => this.#stream.destroy(), 1000).unref();
    this.#stream.removeAllListeners("data");
    this.#stream.resume();
  }

  #send(message: FromSandboxd): void {
    this.#write(0, textOf(message));
  }

  #write(channel: number, payload: Uint8Array, sent?: () => void): void {
    if (this.#stream.destroyed || this.#stream.writableEnded) return;
    this.#stream.write(encodeFrame({ channel, payload }), sent);
    if (this.#stream.writableLength > MAX_UNSENT_BYTES) this.#stream.destroy();
  }

  #onClose(): void {
    this.#greeted = false;
    this.#settle(false);
    this.#options.work.loaded?.calls.detach(this);
    for (const channel of this.#channels.values()) channel.destroy();
    this.#channels.clear();
  }
}

const textOf = (message: FromSandboxd): Uint8Array => new TextEncoder().encode(JSON.stringify(message));

/** Instead of an outcome that would end the connection, and the next one on which it was asked for again. */
const TOO_LARGE: WireOutcome = {
  ok: false,
  error: { code: "answer_too_large", message: "The answer is too large to be sent.", details: {} },
};

const jsonOf = (payload: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(payload));

/**
 * Read by hand: the shapes of all messages take longer to load than anything else until a server is welcomed.
 * @throws AppError `sandboxd_protocol`
 */
function readHello(payload: Uint8Array): Message<"hello"> {
  const { type, protocol, token } = Object(jsonOf(payload)) as Readonly<Record<string, unknown>>;
  if (type === "hello" && typeof protocol === "number" && typeof token === "string") return { type, protocol, token };
  throw new AppError("sandboxd_protocol", "The first message must be hello.");
}

function same(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && process.getBuiltinModule("node:crypto").timingSafeEqual(a, b);
}
