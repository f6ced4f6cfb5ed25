import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import type { LogStore } from "@handrail/core/ports/log-store";
import { ERRORS } from "@handrail/protocol/errors";
import { SOCKET_CLOSE } from "@handrail/protocol/socket";
import { type WebSocket, WebSocketServer } from "ws";
import type { Addresses } from "../auth/addresses.ts";
import type { Identify, Identity } from "../auth/identify.ts";
import { type OwnerOf, requireOwner } from "../auth/policy.ts";
import { problemOf } from "@handrail/protocol/problem";
import { endUpgrade } from "../http/end-upgrade.ts";
import { requestError } from "../http/request-error.ts";
import { type ConnectionParts, serveConnection } from "./connection.ts";
import { frameOf } from "./frames.ts";
import type { Outlet } from "./outlet.ts";
import { summaryFeed } from "./summary-feed.ts";

export type SocketParts = Omit<ConnectionParts, "requireOwner" | "store"> & {
  readonly store: Pick<LogStore, "read" | "summary" | "onAppend">;
  readonly identify: Identify;
  readonly addresses: Addresses;
  readonly ownerOf: OwnerOf;
};

/** The WebSockets of a server. */
export type SocketServer = {
  readonly open: number;
  /** Tells an owner's pages that a conversation is gone. */
  removed(conversationId: string, ownerId: string): void;
  /** Closes the sockets of a session that is over. */
  signedOut(session: string): void;
  /** Sends everybody away; they come back to the next server by number. */
  close(): void;
};

type Client = { readonly socket: WebSocket; readonly identity: Identity; readonly outlet: Outlet; alive: boolean };

export const SOCKET_PATH = "/api/socket";
const HEARTBEAT_MS = 30_000;
const MAX_FRAME_BYTES = 2_000_000;

/** Serves `/api/socket` on an HTTP server's upgrades. */
export function serveSockets(http: Server, parts: SocketParts): SocketServer {
  const server = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false });
  const clients = new Set<Client>();
  const toOwner = (ownerId: string, frame: string) => {
    for (const { identity, outlet } of clients) if (identity.userId === ownerId) outlet.send(frame);
  };
  const summaries = summaryFeed(parts.store, parts.onFailure, (summary) =>
    toOwner(summary.ownerId, frameOf({ type: "summary", conversationId: summary.id, summary })),
  );

  http.on("upgrade", (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on("error", () => stream.destroy());
    try {
      const identity = identityOf(request, parts);
      server.handleUpgrade(request, stream, head, (socket) => accept(socket, identity, clients, parts));
    } catch (thrown) {
      refuse(stream, thrown);
    }
  });
  const heartbeat = setInterval(() => clients.forEach(checkAlive), HEARTBEAT_MS).unref();

  return {
    get open() {
      return clients.size;
    },
    removed: (conversationId, ownerId) => toOwner(ownerId, frameOf({ type: "summary", conversationId, summary: null })),
    signedOut(session) {
      for (const { identity, socket } of clients) {
        if (identity.session === session) socket.close(SOCKET_CLOSE.notSignedIn, "signed out");
      }
    },
    close() {
      clearInterval(heartbeat);
      summaries.close();
      for (const { socket } of clients) socket.close(SOCKET_CLOSE.goingAway, "the server stops");
      server.close();
    },
  };
}

function accept(socket: WebSocket, identity: Identity | undefined, clients: Set<Client>, parts: SocketParts): void {
  socket.on("error", () => socket.terminate());
  if (identity === undefined) {
    socket.close(SOCKET_CLOSE.notSignedIn, "not signed in");
    return;
  }
  const owns = (id: string) => requireOwner(id, identity, parts.ownerOf);
  const outlet = serveConnection(socket, { ...parts, requireOwner: owns });
  const client: Client = { socket, identity, outlet, alive: true };
  clients.add(client);
  socket.on("pong", () => (client.alive = true));
  socket.once("close", () => clients.delete(client));
}

/** @throws AppError `bad_origin`, `not_found` */
function identityOf(request: IncomingMessage, { addresses, identify }: SocketParts): Identity | undefined {
  addresses.checkHost(request.headers.host);
  if (request.url?.split("?", 1)[0] !== SOCKET_PATH) throw requestError({ statusCode: 404 });
  return identify(request.headers, true);
}

function checkAlive(client: Client): void {
  if (!client.alive) client.socket.terminate();
  client.alive = false;
  if (client.socket.readyState === client.socket.OPEN) client.socket.ping();
}

function refuse(stream: Duplex, thrown: unknown): void {
  const error = requestError(thrown);
  const body = JSON.stringify(problemOf(error));
  endUpgrade(
    stream,
    `HTTP/1.1 ${ERRORS[error.code].status} Refused\r\ncontent-type: application/problem+json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
