import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { duplexPair, type Duplex } from "node:stream";
import type { NetworkRule } from "@handrail/protocol/sources";
import { createBroker, type BrokerOptions } from "../create-broker.ts";
import { rulesOf } from "../allow-list.ts";
import type { BrokerRecord } from "../broker-record.ts";

// What the tests of the broker share: a broker, and local servers for it to dial.

/** A broker that resolves every name to loopback and keeps what it reports. */
export function testBroker(options: Partial<BrokerOptions> = {}) {
  const records: BrokerRecord[] = [];
  const rules = new Map<string, NetworkRule>();
  const broker = createBroker({
    lookUp: async (id) => ({ rules: rulesOf(rules.get(id) ?? { type: "none" }), bytesUsed: 0 }),
    onRequest: (record) => records.push(record),
    resolve: async () => ["127.0.0.1"],
    allowLoopback: true,
    ...options,
  });
  /** Takes a stream as a connection from a sandbox that may reach `hosts`, or what the rule says. */
  const handle = (stream: Duplex, hosts: readonly string[] | NetworkRule, conversationId = "c_1"): void => {
    rules.set(conversationId, "type" in hosts ? hosts : { type: "allow", presets: [], hosts: [...hosts] });
    broker.handle({ conversationId }, stream);
  };
  /** A connection from such a sandbox. */
  const open = (hosts: readonly string[] | NetworkRule, conversationId = "c_1"): Duplex => {
    const [ours, theirs] = duplexPair();
    handle(theirs, hosts, conversationId);
    return ours;
  };
  /** All that comes back for a text, until the broker ends. */
  const ask = (hosts: readonly string[] | NetworkRule, text: string): Promise<string> => {
    const client = open(hosts);
    client.write(text);
    return readAll(client);
  };
  return { broker, records, handle, open, ask };
}

/** The stream's bytes as latin1 until its end, or until it breaks. */
export async function readAll(stream: Duplex): Promise<string> {
  let text = "";
  stream.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  stream.on("error", () => undefined);
  if (!stream.closed && !stream.readableEnded) {
    await Promise.race([once(stream, "end"), once(stream, "close")]).catch(() => undefined);
  }
  return text;
}

/** Local servers and the way to end them all. */
export function testServers() {
  const servers: Server[] = [];
  const listen = async (server: Server): Promise<number> => {
    servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };
  return {
    http: (listener: RequestListener) => listen(createHttpServer(listener)),
    tcp: (listener: (socket: Socket) => void) =>
      listen(
        createServer({ allowHalfOpen: true }, (socket) => {
          socket.on("error", () => undefined);
          listener(socket);
        }),
      ),
    /** Ends all servers; connections are cut. */
    close() {
      for (const server of servers.splice(0)) server.close();
    },
  };
}

/** A connected pair of real sockets, half-open allowed: the sandbox's end and ours. */
export async function socketPair(): Promise<readonly [Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", allowHalfOpen: true });
  const [ours] = (await once(server, "connection")) as [Socket];
  server.close();
  return [client, ours];
}
