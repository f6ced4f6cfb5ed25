import { createServer, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { brokerConnection, type BrokerConnection, type BrokerOrigin, type BrokerRecord } from "./broker-connection.ts";
import { systemResolve, type Resolve } from "./find-addresses.ts";
import { endWith } from "./refusal.ts";

export type BrokerOptions = {
  readonly onRequest: (record: BrokerRecord) => void;
  readonly resolve?: Resolve;
  /** For tests: lets names lead to this machine's loopback. */
  readonly allowLoopback?: boolean;
  /** How long a client may take for a request's head; 15 seconds when absent. */
  readonly headMs?: number;
  /** How long a connection may be silent in both directions; 5 minutes when absent. */
  readonly idleMs?: number;
  /** Connections of one conversation at a time; 64 when absent. */
  readonly maxConnections?: number;
};

export type Broker = {
  /** Speaks HTTP proxy (RFC 9110 7.3, 9.3.6) on a connection from a sandbox, one request, and ends it. */
  handle(origin: BrokerOrigin, stream: Duplex): void;
  /** Breaks off all connections. */
  close(): void;
};

/** The proxy between sandboxes and the network: it lets through what a rule names, to public addresses only. */
export function createBroker(options: BrokerOptions): Broker {
  const open = new Map<Duplex, BrokerConnection>();
  const server = proxyServer(open);
  const countOf = (conversationId: string) =>
    [...open.values()].filter((connection) => connection.conversationId === conversationId).length;

  return {
    handle(origin, stream) {
      // What a broken stream has to say is that it is broken; `close` follows.
      stream.on("error", () => undefined);
      if (countOf(origin.conversationId) >= (options.maxConnections ?? 64)) {
        endWith(stream, { code: "too_many_connections", message: "Too many connections are open. Close some first." });
        return;
      }
      const settings = { resolve: systemResolve, allowLoopback: false, headMs: 15_000, idleMs: 300_000, ...options };
      open.set(stream, brokerConnection(origin, stream, settings));
      stream.once("close", () => open.delete(stream));
      server.emit("connection", stream);
    },
    close() {
      for (const stream of open.keys()) stream.destroy();
    },
  };
}

/** A server that never listens: it only parses. Strict, so that nobody behind it reads a request in another way. */
function proxyServer(open: ReadonlyMap<Duplex, BrokerConnection>) {
  const server = createServer({
    insecureHTTPParser: false,
    maxHeaderSize: 16 * 1024,
    requireHostHeader: false,
    // Time limits of a server work through its listening socket, which this one has not: see `brokerConnection`.
    requestTimeout: 0,
    headersTimeout: 0,
  });
  server.maxRequestsPerSocket = 1;
  server.on("connect", (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    open.get(stream)?.connect(request, head);
  });
  server.on("request", (request, response) => open.get(request.socket)?.forward(request, response));
  server.on("checkExpectation", (request, response) => open.get(request.socket)?.forward(request, response));
  server.on("clientError", (_error, stream) => open.get(stream)?.refuseGarbage());
  return server;
}
