import { Duplex } from "node:stream";
import { CHANNEL_WINDOW_BYTES } from "@handrail/protocol/sandboxd/frames";
import { ByteQueue } from "./byte-queue.ts";

/** How a channel reaches the other side. */
export type ChannelLink = {
  /** `sent` is called once the connection has taken them. The channel sends nothing before. */
  send(bytes: Uint8Array, sent: () => void): void;
  credit(bytes: number): void;
  close(): void;
};

/** What is read ahead in pieces as they came. The rest waits in one piece. */
const AHEAD_BYTES = 4096;
/** Pieces up to this are joined while they wait to be sent, */
const SMALL_BYTES = 4096;
/** and no more of them than this wait. */
const JOINED_BYTES = 64 * 1024;

/**
 * One raw stream within the connection between a server and a sandboxd; both ends use this. A slow reader slows its own
 * writer only: each side has a window of bytes, and a peer that sends more than its window breaks the channel. What waits
 * takes little more memory than its bytes, however small the pieces are in which it came.
 */
export class Channel extends Duplex {
  readonly #link: ChannelLink;
  /** What came and is not wanted yet. */
  readonly #came = new ByteQueue();
  #isWanted = false;
  #unread = 0;
  #window = CHANNEL_WINDOW_BYTES;
  #isSending = false;
  /** Small pieces that wait to be sent; they count as written. */
  readonly #small = new ByteQueue();
  #waiting: { chunk: Buffer; done: (error?: Error | null) => void } | undefined;
  #onSent: (() => void) | undefined;
  #closed = false;

  constructor(link: ChannelLink) {
    super({ allowHalfOpen: false, readableHighWaterMark: AHEAD_BYTES });
    this.#link = link;
  }

  /** Takes bytes that came from the other side; more than the window allows breaks the channel. */
  receive(bytes: Uint8Array): void {
    this.#unread += bytes.length;
    if (this.#unread > CHANNEL_WINDOW_BYTES) this.destroy();
    else if (this.#isWanted && this.#came.length === 0) {
      this.#isWanted = false;
      this.push(Buffer.from(bytes));
      this.#tellRead();
    } else this.#came.add(bytes);
  }

  /** The other side read this many bytes. */
  credited(bytes: number): void {
    this.#window = Math.min(CHANNEL_WINDOW_BYTES, this.#window + bytes);
    this.#sendOn();
  }

  /** The other side closed. */
  closedByPeer(): void {
    this.#closed = true;
    this.#dropUnsent();
    this.#endReading();
    this.end();
  }

  /** Each way of reading comes by here, but for what is pushed to who listens already. */
  override read(size?: number): unknown {
    const piece: unknown = super.read(size);
    this.#tellRead();
    return piece;
  }

  override _read(): void {
    if (this.#came.length > 0) this.push(this.#came.take());
    else this.#isWanted = true;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const isHeldUp = this.#isSending || this.#window === 0;
    if (this.#closed) done();
    else if (isHeldUp && chunk.length <= SMALL_BYTES && this.#small.length + chunk.length <= JOINED_BYTES) {
      this.#small.add(chunk);
      done();
    } else {
      this.#waiting = { chunk, done };
      this.#sendOn();
    }
  }

  override _final(done: () => void): void {
    const close = () => {
      this.#sayClosed();
      // The other side sends no more, and nobody tells of its end.
      this.#endReading();
      done();
    };
    if (this.#small.length === 0) close();
    else this.#onSent = close;
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#sayClosed();
    this.#dropUnsent();
    done(error);
  }

  /** What came is still there to be read. */
  #endReading(): void {
    if (this.#came.length > 0) this.push(this.#came.take());
    this.push(null);
  }

  #tellRead(): void {
    const read = this.#unread - this.readableLength - this.#came.length;
    if (read <= 0 || this.#closed) return;
    this.#unread -= read;
    this.#link.credit(read);
  }

  /** What waits, as far as the window goes. */
  #sendOn(): void {
    if (this.#isSending || this.#window === 0 || this.#closed) return;
    const waiting = this.#waiting;
    if (this.#small.length > 0) {
      const all = this.#small.take();
      this.#small.add(all.subarray(this.#window));
      this.#send(all.subarray(0, this.#window));
      if (this.#small.length === 0) this.#onSent?.();
    } else if (waiting !== undefined) {
      const rest = waiting.chunk.subarray(this.#window);
      this.#waiting = rest.length > 0 ? { chunk: rest, done: waiting.done } : undefined;
      this.#send(waiting.chunk.subarray(0, this.#window));
      if (rest.length === 0) waiting.done();
    }
  }

  #send(bytes: Buffer): void {
    this.#window -= bytes.length;
    this.#isSending = true;
    this.#link.send(bytes, () => {
      this.#isSending = false;
      this.#sendOn();
    });
  }

  #dropUnsent(): void {
    this.#small.take();
    this.#waiting?.done();
    this.#waiting = undefined;
    this.#onSent?.();
  }

  #sayClosed(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#link.close();
  }
}
