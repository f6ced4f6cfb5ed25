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

/** Serves one socket until it closes. */
export function serveConnection(socket: WebSocket, parts: ConnectionParts): Outlet {
  const outlet = outletOf(socket);
  const subscriptions = new Map<string, Promise<() => void>>();
  const terminals = new Map<string, TerminalBridge>();

  const failed = (conversationId: string, thrown: unknown) => {
    const { code, message } = toAppError(thrown);
    if (code === "internal") parts.onFailure(thrown);
    outlet.send(frameOf({ type: "error", code, message, conversationId }));
  };
  const leave = (id: string) => {
    subscriptions.get(id)?.then(
      (stop) => stop(),
      () => undefined,
    );
    subscriptions.delete(id);
  };
  const join = ({ conversationId, after }: Message<"subscribe">) => {
    leave(conversationId);
    if (subscriptions.size >= MAX_SUBSCRIPTIONS) throw tooMany("subscriptions");
    const joining = parts.requireOwner(conversationId).then(() => subscribe(parts, { conversationId, after, outlet }));
    subscriptions.set(conversationId, joining);
    joining.catch((thrown: unknown) => {
      if (subscriptions.get(conversationId) === joining) subscriptions.delete(conversationId);
      failed(conversationId, thrown);
    });
  };
  const openTerminal = (asked: Message<"terminal.open">) => {
    const key = terminalKey(asked);
    terminals.get(key)?.close();
    if (terminals.size >= MAX_TERMINALS) throw tooMany("terminals");
    const open = async (signal: AbortSignal) => {
      await parts.requireOwner(asked.conversationId);
      return parts.openSandbox(asked.conversationId, signal);
    };
    const bridge = terminalBridge(asked, outlet, open, () => {
      if (terminals.get(key) === bridge) terminals.delete(key);
    });
    terminals.set(key, bridge);
  };
  const handlers: { readonly [Type in ToServer["type"]]: (message: Message<Type>) => void } = {
    subscribe: join,
    unsubscribe: ({ conversationId }) => leave(conversationId),
    "terminal.open": openTerminal,
    "terminal.type": (message) => terminals.get(terminalKey(message))?.type(message.data),
    "terminal.resize": (message) => terminals.get(terminalKey(message))?.resize(message.columns, message.rows),
    "terminal.close": (message) => terminals.get(terminalKey(message))?.close(),
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
  socket.once("close", () => {
    for (const id of subscriptions.keys()) leave(id);
  });
  outlet.send(frameOf({ type: "welcome", version: parts.version }));
  return outlet;
}

const terminalKey = (asked: { readonly conversationId: string; readonly terminal: string }) =>
  `${asked.conversationId} ${asked.terminal}`;

const tooMany = (what: string) =>
  new AppError("limit_reached", `One socket cannot have so many ${what}. Close some first.`);

function messageOf(text: string): ToServer | undefined {
  try {
    return ToServer.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
