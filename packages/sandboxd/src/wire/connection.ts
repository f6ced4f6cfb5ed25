import { timingSafeEqual } from "node:crypto";
import type { Duplex } from "node:stream";
import { Channel } from "@handrail/channels/channel";
import { toAppError } from "@handrail/protocol/errors";
import {
  BYTES_CHANNEL,
  encodeFrame,
  frameDecoder,
  MAX_FRAME_BYTES,
  SANDBOXD_PROTOCOL,
  type Frame,
} from "@handrail/protocol/sandboxd/frames";
import { ToSandboxd, type FromSandboxd } from "@handrail/protocol/sandboxd/messages";
import type { WireOutcome } from "@handrail/protocol/sandboxd/messages";
import type { Waiter } from "./call.ts";
import type { Calls } from "./calls.ts";

export type Welcome = Omit<Extract<FromSandboxd, { type: "welcome" }>, "type" | "protocol">;

export type ConnectionOptions = {
  readonly calls: Calls;
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
    if (frame.channel === BYTES_CHANNEL && this.#greeted) {
      this.#bytes = frame.payload;
      return;
    }
    if (frame.channel !== 0) {
      this.#channels.get(frame.channel)?.receive(frame.payload);
      return;
    }
    const message = ToSandboxd.parse(JSON.parse(new TextDecoder().decode(frame.payload)));
    if (message.type === "hello") this.#onHello(message);
    else if (!this.#greeted) this.#refuse("sandboxd_protocol", "The first message must be hello.");
    else this.#onMessage(message);
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

  #onMessage(message: Exclude<ToSandboxd, Message<"hello">>): void {
    const { calls } = this.#options;
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
    this.#options.calls.detach(this);
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

function same(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}
