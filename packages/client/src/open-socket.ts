import { AppError, isErrorCode, toAppError } from "@handrail/protocol/errors";
import { FromServer, type ToServer } from "@handrail/protocol/socket";
import type { ConversationSummary } from "@handrail/protocol/summary";
import { Connection, type ConnectionState } from "./connection.ts";
import { EventSubscription, type Watcher } from "./event-subscription.ts";
import { parseLenient } from "./lenient.ts";
import { type TerminalPlace, type TerminalStream, type TerminalWatcher, WatchedTerminal } from "./terminal-stream.ts";
import { platformTimers, type Timers } from "./timers.ts";
import { type Dial, dialWebSocket, type RawSocket, type SocketHandlers } from "./web-socket.ts";

export type SocketOptions = {
  /** Scheme, host and port without a path, `http` or `https`. */
  readonly baseUrl: string;
  /** Bearer token, for programs; browsers send their cookie. Needs a `WebSocket` that takes headers, as Node's does. */
  readonly token?: string | undefined;
  readonly onState?: (state: ConnectionState) => void;
  /** The server's version, told on each new connection. A page of another version may want to reload. */
  readonly onVersion?: (version: string) => void;
  /** A row of the conversation list changed; null: it is gone. Changes made while offline are not told: ask again. */
  readonly onSummary?: (conversationId: string, summary: ConversationSummary | null) => void;
  /** A failure that belongs to no subscription. */
  readonly onError?: (error: AppError) => void;
  readonly dial?: Dial;
  readonly timers?: Timers;
  /** In [0, 1); spreads the tries of many clients. */
  readonly random?: () => number;
};

/** The live connection to a server. It is one WebSocket, opened again after each loss until `close`. */
export type Socket = {
  /** Events with `seq` above `after`, then new ones. One watcher a conversation: a second takes the first's place. */
  subscribe(conversationId: string, after: number, watcher: Watcher): () => void;
  /** Watches a terminal. One watcher a terminal: a second takes the first's place. */
  openTerminal(place: TerminalPlace, watcher: TerminalWatcher): TerminalStream;
  /** Tries to connect at once, for instance when the browser says that it is online. */
  retryNow(): void;
  close(): void;
};

/** Opens the live connection (see `@handrail/protocol/socket`). The caller closes it. */
export function openSocket(options: SocketOptions): Socket {
  const timers = options.timers ?? platformTimers;
  const live: Live = { subscriptions: new Map(), terminals: new Map() };
  const connection = new Connection({
    dial: dialer(options),
    timers,
    random: options.random ?? Math.random,
    onState: (state) => options.onState?.(state),
    onUp: () => askAll(live),
    onText: (text) => receive(live, options, text),
  });
  const send = (message: ToServer) => connection.send(JSON.stringify(message));
  connection.start();
  return {
    subscribe(conversationId, after, watcher) {
      live.subscriptions.get(conversationId)?.end();
      const subscription = new EventSubscription({ conversationId, after }, watcher, send, timers);
      live.subscriptions.set(conversationId, subscription);
      subscription.ask();
      return () => {
        if (live.subscriptions.get(conversationId) !== subscription) return;
        live.subscriptions.delete(conversationId);
        subscription.end();
      };
    },
    openTerminal(place, watcher) {
      const key = terminalKey(place.conversationId, place.terminal);
      const terminal = new WatchedTerminal(place, watcher, send);
      live.terminals.set(key, terminal);
      terminal.open();
      const watched = () => live.terminals.get(key) === terminal;
      return {
        type: (bytes) => watched() && terminal.type(bytes),
        resize: (columns, rows) => terminal.resize(columns, rows),
        close() {
          if (!watched()) return;
          live.terminals.delete(key);
          terminal.close();
        },
      };
    },
    retryNow: () => connection.retryNow(),
    close() {
      for (const subscription of live.subscriptions.values()) subscription.end();
      connection.close();
    },
  };
}

type Live = {
  readonly subscriptions: Map<string, EventSubscription>;
  readonly terminals: Map<string, WatchedTerminal>;
};

const terminalKey = (conversationId: string, terminal: string) => `${conversationId} ${terminal}`;

function dialer(options: SocketOptions): (handlers: SocketHandlers) => RawSocket {
  const url = new URL("/api/socket", options.baseUrl);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const headers: Record<string, string> = options.token ? { authorization: `Bearer ${options.token}` } : {};
  return (handlers) => (options.dial ?? dialWebSocket)(url.href, headers, handlers);
}

function askAll(live: Live): void {
  for (const subscription of live.subscriptions.values()) subscription.ask();
  for (const terminal of live.terminals.values()) terminal.open();
}

function receive(live: Live, options: SocketOptions, text: string): void {
  const frame = parseFrame(text);
  if (frame instanceof AppError) options.onError?.(frame);
  else dispatch(live, options, frame);
}

function parseFrame(text: string): FromServer | AppError {
  try {
    return parseLenient(FromServer, JSON.parse(text));
  } catch (thrown) {
    return toAppError(thrown);
  }
}

function dispatch(live: Live, options: SocketOptions, frame: FromServer): void {
  if (frame.type === "welcome") options.onVersion?.(frame.version);
  else if (frame.type === "summary") options.onSummary?.(frame.conversationId, frame.summary);
  else if (frame.type === "error") receiveError(live, options, frame);
  else if (frame.type === "events" || frame.type === "delta") receiveLive(live, frame);
  else if (frame.type !== "pong") receiveTerminal(live, frame);
}

function receiveLive(live: Live, frame: Extract<FromServer, { type: "events" | "delta" }>): void {
  const subscription = live.subscriptions.get(frame.conversationId);
  if (frame.type === "events") subscription?.receive(frame.events);
  else subscription?.watcher.onDelta?.(frame.delta);
}

function receiveTerminal(live: Live, frame: Extract<FromServer, { type: `terminal.${string}` }>): void {
  const key = terminalKey(frame.conversationId, frame.terminal);
  const terminal = live.terminals.get(key);
  if (frame.type === "terminal.output") {
    terminal?.receive(frame.offset, frame.data);
    return;
  }
  live.terminals.delete(key);
  terminal?.watcher.onClosed?.(frame.reason);
}

function receiveError(live: Live, options: SocketOptions, frame: Extract<FromServer, { type: "error" }>): void {
  const error = new AppError(isErrorCode(frame.code) ? frame.code : "internal", frame.message);
  const watcher = live.subscriptions.get(frame.conversationId ?? "")?.watcher;
  if (watcher?.onError === undefined) options.onError?.(error);
  else watcher.onError(error);
}
