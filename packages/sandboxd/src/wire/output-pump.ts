import type { Feed } from "../terminals/feed.ts";

/** Where a pump sends; `congested` while what was sent has not left yet. */
export type OutputSink = {
  output(offset: number, bytes: Uint8Array): void;
  readonly congested: boolean;
};

const INTERVAL_MS = 16;
const MAX_MESSAGE_BYTES = 64 * 1024;
/** What is still sent when the call ends, however fast its output came. */
const MAX_LAST_BYTES = 256 * 1024;

/** Follows a feed for one watcher: what is new at most every 16 ms, less for those who read slowly. */
export class OutputPump {
  readonly #feed: Feed;
  readonly #sink: OutputSink;
  readonly #unlisten: () => void;
  #at: number;
  #timer: NodeJS.Timeout | undefined;

  /** `from` counts from the feed's first byte. */
  constructor(feed: Feed, from: number, sink: OutputSink) {
    this.#feed = feed;
    this.#sink = sink;
    this.#at = feed.base + from;
    this.#unlisten = feed.onMore(() => this.#wake());
    this.#wake();
  }

  /** Sends what there is and ends. */
  finish(): void {
    this.close();
    this.#at = Math.max(this.#at, this.#end() - MAX_LAST_BYTES);
    if (this.#sink.congested) return;
    while (this.#at < this.#end()) this.#send();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#unlisten();
  }

  #wake(): void {
    this.#timer ??= setTimeout(() => this.#tick(), 0);
  }

  #tick(): void {
    this.#timer = undefined;
    if (!this.#sink.congested) this.#send();
    if (this.#at < this.#end()) this.#timer = setTimeout(() => this.#tick(), INTERVAL_MS);
    else this.#rest();
  }

  /** Nothing is sent for a while, so that what comes meanwhile goes out at once. */
  #rest(): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#at < this.#end()) this.#wake();
    }, INTERVAL_MS);
  }

  #send(): void {
    const length = Math.min(MAX_MESSAGE_BYTES, this.#end() - this.#at);
    if (length <= 0) return;
    const { offset, bytes } = this.#feed.ring.read(this.#at, length);
    this.#at = offset + bytes.length;
    if (bytes.length > 0) this.#sink.output(offset - this.#feed.base, bytes);
  }

  #end(): number {
    return this.#feed.end() ?? this.#feed.ring.end;
  }
}
