import type { ToServer } from "@handrail/protocol/socket";
import { fromBase64, newOutput, type OutputPiece, toBase64 } from "./output-stream.ts";

/** Which terminal to watch, from which byte of its output, on a screen of which size. */
export type TerminalPlace = {
  readonly conversationId: string;
  readonly terminal: string;
  /** Zero when absent: as far back as the server keeps. */
  readonly offset?: number;
  readonly columns: number;
  readonly rows: number;
};

export type TerminalWatcher = {
  /** New output, in order, each byte once. */
  readonly onOutput: (piece: OutputPiece) => void;
  /** The terminal is over; no more comes. */
  readonly onClosed?: (reason: string) => void;
};

/** A terminal that is being watched. `type` and `resize` are dropped while offline; `type` then gives false. */
export type TerminalStream = {
  type(bytes: Uint8Array): boolean;
  resize(columns: number, rows: number): void;
  /** Stops watching. The terminal itself goes on. */
  close(): void;
};

/** One terminal's place in its output: opened again at the next byte after the socket was lost. */
export class WatchedTerminal {
  readonly watcher: TerminalWatcher;
  readonly #name: { readonly conversationId: string; readonly terminal: string };
  readonly #send: (message: ToServer) => boolean;
  #next: number;
  #size: { readonly columns: number; readonly rows: number };

  constructor(place: TerminalPlace, watcher: TerminalWatcher, send: (message: ToServer) => boolean) {
    this.watcher = watcher;
    this.#name = { conversationId: place.conversationId, terminal: place.terminal };
    this.#next = place.offset ?? 0;
    this.#size = { columns: place.columns, rows: place.rows };
    this.#send = send;
  }

  open(): void {
    this.#send({ type: "terminal.open", ...this.#name, offset: this.#next, ...this.#size });
  }

  receive(offset: number, data: string): void {
    const piece = newOutput(this.#next, offset, fromBase64(data));
    if (piece === null) return;
    this.#next = piece.offset + piece.bytes.length;
    this.watcher.onOutput(piece);
  }

  type(bytes: Uint8Array): boolean {
    return this.#send({ type: "terminal.type", ...this.#name, data: toBase64(bytes) });
  }

  resize(columns: number, rows: number): void {
    this.#size = { columns, rows };
    this.#send({ type: "terminal.resize", ...this.#name, columns, rows });
  }

  close(): void {
    this.#send({ type: "terminal.close", ...this.#name });
  }
}
