import { SOCKET_CLOSE } from "@handrail/protocol/socket";
import { reconnectDelayMs } from "./backoff.ts";
import type { Timers } from "./timers.ts";
import type { RawSocket, SocketHandlers } from "./web-socket.ts";

/** How the connection stands. `since` and `retryAt` are Unix milliseconds; `signedOut` and `closed` are final. */
export type ConnectionState =
  | { readonly status: "connecting" }
  | { readonly status: "connected" }
  | { readonly status: "offline"; readonly since: number; readonly retryAt: number }
  | { readonly status: "signedOut" }
  | { readonly status: "closed" };

export type ConnectionOptions = {
  readonly dial: (handlers: SocketHandlers) => RawSocket;
  readonly timers: Timers;
  /** In [0, 1). */
  readonly random: () => number;
  /** A socket is open: what it should carry is to be asked for again. */
  readonly onUp: () => void;
  readonly onText: (text: string) => void;
  readonly onState: (state: ConnectionState) => void;
};

const OPEN_WITHIN_MS = 10_000;
const PING_AFTER_MS = 20_000;
const DEAD_AFTER_MS = 10_000;
const SETTLED_AFTER_MS = 5_000;

/**
 * One WebSocket kept open: opened again after each loss, with growing random delays, until it is closed or the server
 * says that nobody is signed in. A peer that answers no ping within 10 seconds counts as lost.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  #socket: RawSocket | null = null;
  #open = false;
  #final = false;
  #failures = 0;
  #offlineSince: number | null = null;
  #cancelRetry = () => {};
  #cancelWatch = () => {};
  #cancelSettle = () => {};

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Opens the first socket. Call once. */
  start(): void {
    this.#options.onState({ status: "connecting" });
    this.#dial();
  }

  /** Sends a text; false when no socket is open, and then the text is dropped. */
  send(text: string): boolean {
    if (this.#socket === null || !this.#open) return false;
    this.#socket.send(text);
    return true;
  }

  /** Tries at once instead of waiting for the next try; nothing when a socket is open or being opened. */
  retryNow(): void {
    if (this.#final || this.#socket !== null) return;
    this.#cancelRetry();
    this.#dial();
  }

  /** Closes for good. */
  close(): void {
    this.#end({ status: "closed" });
  }

  #dial(): void {
    const mine = () => this.#socket === socket;
    const socket = this.#options.dial({
      onOpen: () => mine() && this.#up(),
      onText: (text) => mine() && this.#heard(text),
      onClose: (code) => mine() && this.#closed(code),
    });
    this.#socket = socket;
    this.#watch(OPEN_WITHIN_MS, () => this.#lost());
  }

  #closed(code: number): void {
    if (code === SOCKET_CLOSE.notSignedIn) this.#end({ status: "signedOut" });
    else this.#lost();
  }

  #up(): void {
    this.#open = true;
    this.#offlineSince = null;
    this.#expectTraffic();
    this.#cancelSettle = this.#options.timers.after(SETTLED_AFTER_MS, () => (this.#failures = 0));
    this.#options.onState({ status: "connected" });
    this.#options.onUp();
  }

  #heard(text: string): void {
    this.#expectTraffic();
    this.#options.onText(text);
  }

  #expectTraffic(): void {
    this.#watch(PING_AFTER_MS, () => {
      this.send(JSON.stringify({ type: "ping" }));
      this.#watch(DEAD_AFTER_MS, () => this.#lost());
    });
  }

  #lost(): void {
    this.#drop();
    this.#failures += 1;
    const now = this.#options.timers.now();
    const delayMs = reconnectDelayMs(this.#failures, this.#options.random());
    this.#offlineSince ??= now;
    this.#cancelRetry = this.#options.timers.after(delayMs, () => this.#dial());
    this.#options.onState({ status: "offline", since: this.#offlineSince, retryAt: now + delayMs });
  }

  #end(state: ConnectionState): void {
    if (this.#final) return;
    this.#final = true;
    this.#cancelRetry();
    this.#drop();
    this.#options.onState(state);
  }

  /** Lets go of the socket without waiting for the peer: on a dead network the closing handshake takes minutes. */
  #drop(): void {
    this.#cancelWatch();
    this.#cancelSettle();
    const socket = this.#socket;
    this.#socket = null;
    this.#open = false;
    socket?.close();
  }

  #watch(delayMs: number, callback: () => void): void {
    this.#cancelWatch();
    this.#cancelWatch = this.#options.timers.after(delayMs, callback);
  }
}
