import type { Duplex } from "node:stream";
import { Channel } from "@handrail/channels/channel";
import { AppError, isErrorCode } from "@handrail/protocol/errors";
import { BYTES_CHANNEL, encodeFrame, SANDBOXD_PROTOCOL, type Frame } from "@handrail/protocol/sandboxd/frames";
import type { FromSandboxd } from "@handrail/protocol/sandboxd/from-sandboxd";
import type { ToSandboxd } from "@handrail/protocol/sandboxd/to-sandboxd";
import { hearFrames } from "./hear-frames.ts";
import { parseMessage } from "./parse-message.ts";

export type Welcome = Extract<FromSandboxd, { type: "welcome" }>;

export type LinkEvents = {
  readonly onMessage: (message: Extract<FromSandboxd, { type: "output" | "ended" | "status" }>) => void;
  /** A program in the sandbox wants the network. */
  readonly onEgress: (stream: Duplex) => void;
  /** A connection to a port that was asked for with this ticket. */
  readonly onPort: (ticket: string, stream: Duplex) => void;
  /** Once, after a welcome, when the connection is of no further use. */
  readonly onBroken: () => void;
};

const WELCOME_MS = 10_000;
const PING_MS = 15_000;
const SILENCE_MS = 45_000;
const MAX_CHANNELS = 1000;
const MAX_UNSENT_BYTES = 256 * 1024 * 1024;
/** Answers that the sandbox does not read; while there are more, it is not heard. */
const MAX_OWED = 1000;

/** One connection to sandboxd. Whatever breaks the protocol ends it. */
export class LinkConnection {
  readonly #stream: Duplex;
  readonly #events: LinkEvents;
  readonly #channels = new Map<number, Channel>();
  readonly #welcome = Promise.withResolvers<Welcome>();
  #welcomed = false;
  #heardAt = performance.now();
  readonly #hearing: ReturnType<typeof hearFrames>;
  #owed = 0;

  constructor(stream: Duplex, events: LinkEvents) {
    this.#stream = stream;
    this.#events = events;
    this.#welcome.promise.catch(() => {});
    this.#hearing = hearFrames(stream, {
      onFrame: (frame) => this.#onFrame(frame),
      isBusy: () => this.#owed > MAX_OWED,
    });
    stream.on("error", () => stream.destroy());
    stream.on("end", () => stream.destroy());
    stream.on("close", () => this.#onClose());
    if (stream.destroyed) this.#onClose();
  }

  /**
   * Says hello and gives the answer.
   * @throws AppError `sandboxd_mismatch`, `forbidden`, `sandboxd_protocol`; `sandbox_failed` when the connection broke
   */
  async greet(token: string): Promise<Welcome> {
    this.send({ type: "hello", protocol: SANDBOXD_PROTOCOL, token });
    const late = setTimeout(() => this.#stream.destroy(), WELCOME_MS);
    try {
      const welcome = await this.#welcome.promise;
      this.#keepAlive();
      return welcome;
    } finally {
      clearTimeout(late);
    }
  }

  /** `bytes` are those of a call that has some. */
  send(message: ToSandboxd, bytes?: Uint8Array): void {
    if (bytes !== undefined) this.#write(BYTES_CHANNEL, bytes);
    this.#write(0, textOf(message));
  }

  close(): void {
    this.#stream.destroy();
  }

  #onFrame(frame: Frame): void {
    this.#heardAt = performance.now();
    if (frame.channel !== 0) {
      this.#channels.get(frame.channel)?.receive(frame.payload);
      return;
    }
    const message = parseMessage(frame.payload);
    if (message.type === "welcome") this.#onWelcome(message);
    else if (message.type === "refused") this.#onRefused(message.code, message.message);
    else if (!this.#welcomed) throw new AppError("sandboxd_protocol", "The sandbox spoke before its welcome.");
    else this.#onMessage(message);
  }

  #onWelcome(welcome: Welcome): void {
    if (welcome.protocol !== SANDBOXD_PROTOCOL) {
      this.#onRefused("sandboxd_mismatch", "The sandbox speaks another protocol. Start a new sandbox.");
      return;
    }
    this.#welcomed = true;
    this.#welcome.resolve(welcome);
  }

  #onRefused(code: string, message: string): void {
    const known = isErrorCode(code) ? code : "sandboxd_protocol";
    this.#welcome.reject(new AppError(known, message.slice(0, 500)));
    this.#stream.destroy();
  }

  #onMessage(message: Exclude<FromSandboxd, { type: "welcome" | "refused" }>): void {
    switch (message.type) {
      case "channel.open":
        return this.#onChannel(message);
      case "channel.close":
        this.#channels.get(message.channel)?.closedByPeer();
        this.#channels.delete(message.channel);
        return;
      case "channel.credit":
        this.#channels.get(message.channel)?.credited(message.bytes);
        return;
      case "pong":
        return;
      default:
        this.#events.onMessage(message);
    }
  }

  #onChannel({ channel: id, kind, ticket }: Extract<FromSandboxd, { type: "channel.open" }>): void {
    if (this.#channels.has(id) || this.#channels.size >= MAX_CHANNELS) {
      this.#reply({ type: "channel.close", channel: id, reason: "There are too many connections." });
      return;
    }
    const channel = this.#openChannel(id);
    if (kind === "egress") this.#events.onEgress(channel);
    else this.#events.onPort(ticket ?? "", channel);
  }

  #openChannel(id: number): Channel {
    const channel = new Channel({
      send: (bytes, sent) => this.#write(id, bytes, sent),
      credit: (bytes) => this.#reply({ type: "channel.credit", channel: id, bytes }),
      close: () => {
        this.#channels.delete(id);
        this.#reply({ type: "channel.close", channel: id });
      },
    });
    channel.on("error", () => {});
    this.#channels.set(id, channel);
    return channel;
  }

  /** Says what the sandbox had us say. */
  #reply(message: ToSandboxd): void {
    this.#owed += 1;
    this.#write(0, textOf(message), () => {
      this.#owed -= 1;
      if (this.#owed === MAX_OWED) this.#hearing.goOn();
    });
  }

  #write(channel: number, payload: Uint8Array, sent?: () => void): void {
    if (this.#stream.destroyed || this.#stream.writableEnded) return;
    this.#stream.write(encodeFrame({ channel, payload }), sent);
    if (this.#stream.writableLength > MAX_UNSENT_BYTES) this.#stream.destroy();
  }

  /** A peer that is silent for long, pings and all, is no longer there. */
  #keepAlive(): void {
    const timer = setInterval(() => {
      if (performance.now() - this.#heardAt > SILENCE_MS) this.#stream.destroy();
      else this.send({ type: "ping", id: "ping" });
    }, PING_MS);
    timer.unref();
    this.#stream.once("close", () => clearInterval(timer));
  }

  #onClose(): void {
    for (const channel of this.#channels.values()) channel.destroy();
    this.#channels.clear();
    this.#welcome.reject(new AppError("sandbox_failed", "The connection to the sandbox broke before it answered."));
    if (this.#welcomed) this.#events.onBroken();
    this.#welcomed = false;
  }
}

const textOf = (message: ToSandboxd) => new TextEncoder().encode(JSON.stringify(message));
