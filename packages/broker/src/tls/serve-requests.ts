import { Agent, createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { endGently, endWith, type Refusal } from "../refusal.ts";
import { asksForWebSocket } from "../upgrade-request.ts";
import type { CarriedConnection } from "./admit-request.ts";
import { carryOpened } from "./opened-request.ts";
import { upgradeOpened } from "./upgrade-opened.ts";

/**
 * Takes the HTTP/1.1 requests of a client, and carries each over the one connection to the host, checked and with secrets
 * put in. Settles when either side is gone and all was reported; both are ended.
 */
export async function serveRequests(connection: Omit<CarriedConnection, "agent">): Promise<void> {
  const { client, upstream } = connection;
  const carried = { ...connection, agent: agentFor(upstream) };
  const server = requestServer();
  const turns = inTurn(client);
  const carry = (request: IncomingMessage, response: ServerResponse) =>
    turns.add(() => carryOpened(carried, request, response));
  server.on("request", carry).on("checkContinue", carry).on("checkExpectation", carry);
  server.on("upgrade", (request, _socket, head) => {
    turns.add(() => upgradeOpened(carried, request, client, head));
  });
  server.on("clientError", () => soon(() => client.destroy()));
  server.on("connect", () => soon(() => endWith(client, NO_PROXY)));
  if (upstream instanceof Socket) {
    // What came before is still on its way to the client.
    const last = () => void turns.over().then(() => endGently(client));
    upstream.once("end", () => upstream.destroySoon()).once("close", last);
  }
  // TLS has no half-closed connections that HTTP would use; the stream below it may have.
  client.once("end", () => endGently(client));
  server.emit("connection", client);
  // A stream whose beginning was looked at is paused.
  client.resume();
  await over(client);
  endGently(client);
  if (upstream instanceof Socket) upstream.destroy();
  await turns.over();
}

/**
 * A stream of TLS over another stream must not be destroyed while it hands on what it read, as a server also does with a CONNECT
 * that nobody takes: Node goes on to use memory that is no more, and the process ends.
 */
const soon = (work: () => void) => void setImmediate(work);

const NO_PROXY: Refusal = {
  code: "request_invalid",
  message: "This is no proxy: the connection is to one host already.",
};

/** Requests that a client may send before the first of them is answered. */
const MAX_WAITING = 100;

/**
 * Does one work after the other, as the one connection to the host takes requests. A client that sends too many at once
 * is cut off; what waits when it is gone is not done.
 */
function inTurn(client: Duplex) {
  let waiting = 0;
  let isFull = false;
  let turn = Promise.resolve();
  return {
    add(work: () => Promise<void>): void {
      if (waiting >= MAX_WAITING && !isFull) soon(() => client.destroy());
      isFull ||= waiting >= MAX_WAITING;
      if (isFull) return;
      waiting += 1;
      turn = turn
        .then(() => (client.destroyed ? undefined : work()))
        .catch(() => void client.destroy())
        .finally(() => (waiting -= 1));
    },
    /** All that was added before. */
    over: () => turn,
  };
}

/** Time limits of a server work through its listening socket, which this one has not. Strict, as the broker's own. */
function requestServer() {
  return createServer({
    insecureHTTPParser: false,
    maxHeaderSize: 32 * 1024,
    requestTimeout: 0,
    headersTimeout: 0,
    keepAliveTimeout: 0,
    // Another protocol, h2c above all, would carry requests that nobody sees.
    shouldUpgradeCallback: asksForWebSocket,
  });
}

/** HTTP has no use for half-closed connections: who ends is gone. */
function over(client: Duplex): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  client.once("end", resolve).once("close", resolve);
  if (client.destroyed) resolve();
  return promise;
}

/** One connection for all requests, one after the other; there is no second one. */
function agentFor(upstream: Socket | Refusal): Agent | undefined {
  if (!(upstream instanceof Socket)) return undefined;
  const agent = new Agent({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1 });
  let used = false;
  agent.createConnection = (_options, made) => {
    if (used || upstream.destroyed) {
      // Not thrown: the agent asks for a connection in events of the last one too, where nobody would catch it.
      made?.(new Error("the connection to the host is used up"), upstream);
      return undefined;
    }
    used = true;
    // One whose bytes were passed on until now is paused. The request listens to it by then.
    setImmediate(() => upstream.resume());
    return upstream;
  };
  return agent;
}
