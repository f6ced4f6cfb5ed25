import { createServer, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { hostsNamed } from "./allow-list.ts";
import type { AuthoriseSettings } from "./authorise.ts";
import { brokerConnection, type BrokerConnection, type BrokerOrigin } from "./broker-connection.ts";
import type { BrokerRecord } from "./broker-record.ts";
import type { CarrySettings } from "./carry-request.ts";
import { fairLookups } from "./fair-lookups.ts";
import { systemAddresses, type Resolve } from "./find-addresses.ts";
import { openRequests, type OpenRequests } from "./open-requests.ts";
import { endWith } from "./refusal.ts";
import { readSocks, SOCKS_VERSION } from "./socks5.ts";
import { systemResolve } from "./system-resolve.ts";
import { countTraffic, type TrafficLimit, type TrafficLimits } from "./traffic.ts";
import { asksForWebSocket } from "./upgrade-request.ts";

export type BrokerOptions = Pick<AuthoriseSettings, "lookUp"> & {
  /** Absent: what no rule allows is refused at once. */
  readonly askUser?: AuthoriseSettings["askUser"];
  /** Absent: no HTTPS is opened, so no secret is put in and no kinds of request are told apart there. */
  readonly openWith?: CarrySettings["openWith"];
  /** Writes down a request that is over, where nothing else is said by `onBegin`, or one that never went out. */
  readonly onRequest: (record: BrokerRecord) => void;
  /** Writes a request down before it goes out; absent: none is. */
  readonly onBegin?: CarrySettings["onBegin"];
  /** A limit was reached. Called at each request that it refuses. */
  readonly onLimit?: (conversationId: string, limit: TrafficLimit) => void;
  readonly limits?: Partial<TrafficLimits>;
  readonly resolve?: Resolve;
  /** Hosts that may be in private networks, named as in rules; a rule must allow them like any other. */
  readonly privateHosts?: readonly string[];
  /** Addresses of this machine; those of its interfaces when absent. */
  readonly ownAddresses?: () => readonly string[];
  /** For tests: lets names lead to this machine's loopback. */
  readonly allowLoopback?: boolean;
  /** How long a client may take for a request's head; 15 seconds when absent. */
  readonly headMs?: number;
  /** How long a connection may be silent in both directions; 5 minutes when absent. */
  readonly idleMs?: number;
};

/** What a conversation may use of the network where nothing else is set. */
export const TRAFFIC_LIMITS: TrafficLimits = { bytes: 20 * 1024 ** 3, requestsPerMinute: 3000, connections: 64 };

export type Broker = {
  /** Speaks HTTP proxy (RFC 9110 7.3, 9.3.6) or SOCKS5 on a connection from a sandbox, one request, and ends it. */
  readonly handle: (origin: BrokerOrigin, stream: Duplex) => void;
  /** To be called when rules have changed: breaks off what they do not allow any more, of all conversations when none is named. */
  readonly recheck: OpenRequests["recheck"];
  /** Breaks off all connections. */
  close(): void;
};

/** Milliseconds that no change of the clock touches. */
const sinceStart = () => performance.now();

/** The proxy between sandboxes and the network: it lets through what a rule names, to public addresses and named private hosts. */
export function createBroker(options: BrokerOptions): Broker {
  const open = new Map<Duplex, BrokerConnection>();
  const server = proxyServer(open);
  const { onLimit = () => undefined } = options;
  const traffic = countTraffic({ limits: { ...TRAFFIC_LIMITS, ...options.limits }, onLimit, now: sinceStart });
  const settings = {
    mayBePrivate: hostsNamed(options.privateHosts ?? []),
    allowLoopback: false,
    ownAddresses: systemAddresses,
    headMs: 15_000,
    idleMs: 300_000,
    askUser: async ({ refusal }) => refusal,
    openWith: async () => undefined,
    onBegin: () => ({ end: options.onRequest, drop: () => undefined }),
    now: Date.now,
    ...options,
    resolveFor: fairLookups(options.resolve ?? systemResolve, sinceStart),
    openRequests: openRequests(options.lookUp),
    traffic,
  } satisfies Parameters<typeof brokerConnection>[2];

  return {
    handle(origin, stream) {
      // What a broken stream has to say is that it is broken; `close` follows.
      stream.on("error", () => undefined);
      const leave = traffic.connect(origin.conversationId);
      if (typeof leave !== "function") {
        endWith(stream, leave);
        return;
      }
      const connection = brokerConnection(origin, stream, settings);
      open.set(stream, connection);
      stream.once("close", () => {
        open.delete(stream);
        leave();
      });
      stream.once("readable", () => listen(server, stream, connection));
    },
    recheck: settings.openRequests.recheck,
    close() {
      traffic.close();
      for (const stream of open.keys()) stream.destroy();
    },
  };
}

/** The first byte tells which protocol the client speaks. */
function listen(server: ReturnType<typeof proxyServer>, stream: Duplex, connection: BrokerConnection): void {
  const first = stream.read() as Buffer | null;
  if (first === null) {
    stream.destroy();
    return;
  }
  stream.unshift(first);
  if (first[0] !== SOCKS_VERSION) {
    server.emit("connection", stream);
    return;
  }
  readSocks(stream).then(
    (request) => (request === undefined ? stream.destroy() : connection.socks(request)),
    () => stream.destroy(),
  );
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
    shouldUpgradeCallback: asksForWebSocket,
  });
  server.maxRequestsPerSocket = 1;
  // Who has said all that there is to say still gets the answer.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on("connect", (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    open.get(stream)?.connect(request, head);
  });
  server.on("upgrade", (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    open.get(stream)?.upgrade(request, head);
  });
  server.on("request", (request, response) => open.get(request.socket)?.forward(request, response));
  server.on("checkExpectation", (request, response) => open.get(request.socket)?.forward(request, response));
  server.on("clientError", (_error, stream) => open.get(stream)?.refuseGarbage());
  return server;
}
