import type { Sandbox } from "@handrail/core/ports/sandbox";
import { AppError, toAppError } from "@handrail/protocol/errors";
import { SOCKET_CLOSE, ToServer } from "@handrail/protocol/socket";
import type { WebSocket } from "ws";
import { frameOf } from "./frames.ts";
import { type Outlet, outletOf } from "./outlet.ts";
import { subscribe, type SubscriptionParts } from "./subscription.ts";
import { type TerminalBridge, terminalBridge } from "./terminal-bridge.ts";

export type ConnectionParts = SubscriptionParts & {
  readonly version: string;
  /** @throws AppError `conversation_not_found` unless the user owns it */
  readonly requireOwner: (conversationId: string) => Promise<void>;
  /** The conversation's sandbox, started if need be, and held until the signal aborts. */
  readonly openSandbox: (conversationId: string, signal: AbortSignal) => Promise<Sandbox>;
};

type Message<Type extends ToServer["type"]> = Extract<ToServer, { type: Type }>;

const MAX_SUBSCRIPTIONS = 256;
const MAX_TERMINALS = 32;

type Report = (conversationId: string, thrown: unknown) => void;

/** Serves one socket until it closes. */
export function serveConnection(socket: WebSocket, parts: ConnectionParts): Outlet {
  const outlet = outletOf(socket);
  const failed: Report = (conversationId, thrown) => {
    const { code, message } = toAppError(thrown);
    if (code === "internal") parts.onFailure(thrown);
    outlet.send(frameOf({ type: "error", code, message, conversationId }));
  };
  const subscriptions = subscriptionsOf(parts, outlet, failed);
  const terminals = terminalsOf(parts, outlet);
  const handlers: { readonly [Type in ToServer["type"]]: (message: Message<Type>) => void } = {
    subscribe: (message) => subscriptions.join(message),
    unsubscribe: ({ conversationId }) => subscriptions.leave(conversationId),
    "terminal.open": (message) => terminals.open(message),
    "terminal.type": (message) => terminals.find(message)?.type(message.data),
    "terminal.resize": (message) => terminals.find(message)?.resize(message.columns, message.rows),
    "terminal.close": (message) => terminals.find(message)?.close(),
    ping: () => outlet.send(frameOf({ type: "pong" })),
  };

  socket.on("message", (data: Buffer, isBinary) => {
    const message = isBinary ? undefined : messageOf(data.toString("utf8"));
    if (message === undefined) {
      socket.close(SOCKET_CLOSE.badMessage, "not a message of this protocol");
      return;
    }
    try {
      (handlers[message.type] as (message: ToServer) => void)(message);
    } catch (thrown) {
      failed("conversationId" in message ? message.conversationId : "", thrown);
    }
  });
  socket.once("close", subscriptions.leaveAll);
  outlet.send(frameOf({ type: "welcome", version: parts.version }));
  return outlet;
}

function subscriptionsOf(parts: ConnectionParts, outlet: Outlet, failed: Report) {
  const joined = new Map<string, Promise<() => void>>();
  const leave = (id: string) => {
    joined.get(id)?.then(
      (stop) => stop(),
      () => undefined,
    );
    joined.delete(id);
  };
  return {
    leave,
    leaveAll: () => [...joined.keys()].forEach(leave),
    join({ conversationId, after, attended = false }: Message<"subscribe">) {
      leave(conversationId);
      if (joined.size >= MAX_SUBSCRIPTIONS) throw tooMany("subscriptions");
      const joining = parts
        .requireOwner(conversationId)
        .then(() => subscribe(parts, { conversationId, after, outlet }))
        .then((stop) => (attended ? attend(parts, conversationId, stop) : stop));
      joined.set(conversationId, joining);
      joining.catch((thrown: unknown) => {
        if (joined.get(conversationId) === joining) joined.delete(conversationId);
        failed(conversationId, thrown);
      });
    },
  };
}

function attend({ deltas }: ConnectionParts, conversationId: string, stop: () => void): () => void {
  const leave = deltas.attend(conversationId);
  return () => {
    leave();
    stop();
  };
}

function terminalsOf(parts: ConnectionParts, outlet: Outlet) {
  const opened = new Map<string, TerminalBridge>();
  return {
    find: (asked: TerminalName) => opened.get(terminalKey(asked)),
    open(asked: Message<"terminal.open">) {
      const key = terminalKey(asked);
      opened.get(key)?.close();
      if (opened.size >= MAX_TERMINALS) throw tooMany("terminals");
      const open = async (signal: AbortSignal) => {
        await parts.requireOwner(asked.conversationId);
        return parts.openSandbox(asked.conversationId, signal);
      };
      const bridge = terminalBridge(asked, outlet, open, () => {
        if (opened.get(key) === bridge) opened.delete(key);
      });
      opened.set(key, bridge);
    },
  };
}

type TerminalName = { readonly conversationId: string; readonly terminal: string };

const terminalKey = ({ conversationId, terminal }: TerminalName) => `${conversationId} ${terminal}`;

const tooMany = (what: string) =>
  new AppError("limit_reached", `One socket cannot have so many ${what}. Close some first.`);

function messageOf(text: string): ToServer | undefined {
  try {
    return ToServer.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
