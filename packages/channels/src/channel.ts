import { Duplex } from "node:stream";
import { CHANNEL_WINDOW_BYTES } from "@handrail/protocol/sandboxd/messages";

/** How a channel reaches the other side. */
export type ChannelLink = {
  send(bytes: Uint8Array): void;
  credit(bytes: number): void;
  close(): void;
};

/**
 * One raw stream within the connection between a server and a sandboxd; both ends use this. A slow reader slows its own
 * writer only: each side has a window of bytes, and a peer that sends more than its window breaks the channel.
 */
export class Channel extends Duplex {
  readonly #link: ChannelLink;
  #window = CHANNEL_WINDOW_BYTES;
  #waiting: { chunk: Buffer; done: (error?: Error | null) => void } | undefined;
  #unread = 0;
  #closed = false;

  constructor(link: ChannelLink) {
    super({ allowHalfOpen: false });
    this.#link = link;
  }

  /** Takes bytes that came from the other side; more than the window allows breaks the channel. */
  receive(bytes: Uint8Array): void {
    this.#unread += bytes.length;
    if (this.#unread > CHANNEL_WINDOW_BYTES) this.destroy();
    else this.push(Buffer.from(bytes));
  }

  /** The other side read this many bytes. */
  credited(bytes: number): void {
    this.#window = Math.min(CHANNEL_WINDOW_BYTES, this.#window + bytes);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) this.#sendSome(waiting.chunk, waiting.done);
  }

  /** The other side closed. */
  closedByPeer(): void {
    this.#closed = true;
    this.push(null);
    this.end();
  }

  override _read(): void {
    const read = this.#unread - this.readableLength;
    if (read <= 0 || this.#closed) return;
    this.#unread -= read;
    this.#link.credit(read);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#sendSome(chunk, done);
  }

  override _final(done: () => void): void {
    this.#sayClosed();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#sayClosed();
    this.#waiting?.done();
    this.#waiting = undefined;
    done(error);
  }

  #sendSome(chunk: Buffer, done: (error?: Error | null) => void): void {
    if (this.#closed) {
      done();
      return;
    }
    const now = chunk.subarray(0, this.#window);
    this.#window -= now.length;
    if (now.length > 0) this.#link.send(now);
    if (now.length === chunk.length) done();
    else this.#waiting = { chunk: chunk.subarray(now.length), done };
  }

  #sayClosed(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#link.close();
  }
}
