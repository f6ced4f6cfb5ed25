import { once } from "node:events";
import { Duplex, duplexPair } from "node:stream";
import { afterEach, expect, test } from "vitest";
import { ONCE } from "./authorise.ts";
import type { BrokerOptions } from "./create-broker.ts";
import { socketPair, testBroker, testServers } from "./testing/broker-fixture.ts";

const servers = testServers();
afterEach(() => servers.close());

const GREETING = Uint8Array.of(5, 1, 0);
const socks = (host: string, port: number) =>
  Buffer.from([5, 1, 0, 3, host.length, ...Buffer.from(host), port >> 8, port & 255]);

/** How a client asks for port 80 of a host, by the name of the protocol. */
const ASKING: { readonly [Protocol in string]?: readonly Uint8Array[] } = {
  HTTP: [Buffer.from("GET http://a.test/x HTTP/1.1\r\n\r\n")],
  WebSocket: [Buffer.from("GET http://a.test/x HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")],
  CONNECT: [Buffer.from("CONNECT a.test:80 HTTP/1.1\r\n\r\n")],
  SOCKS: [GREETING, socks("a.test", 80)],
};

/** A broker whose user says nothing before `answer` is called, or the client has gone. */
function heldBroker(options: Partial<BrokerOptions> = {}) {
  const asking = Promise.withResolvers<void>();
  const over = Promise.withResolvers<"answered" | "gone">();
  const broker = testBroker({
    async askUser({ refusal }, signal) {
      signal.addEventListener("abort", () => over.resolve("gone"));
      asking.resolve();
      return (await over.promise) === "answered" ? ONCE : refusal;
    },
    ...options,
  });
  return { ...broker, asked: asking.promise, answer: () => over.resolve("answered") };
}

async function send(client: Duplex, pieces: readonly Uint8Array[]): Promise<void> {
  const [first = Buffer.alloc(0), ...more] = pieces;
  client.write(first);
  for (const piece of more) {
    await once(client, "data");
    client.write(piece);
  }
}

test.each(["HTTP", "WebSocket", "CONNECT", "SOCKS"])(
  "a client of %s that goes while the user is asked waits no longer",
  async (protocol) => {
    const { handle, asked, records } = heldBroker();
    // As streams from sandboxes are: who ends has gone.
    const [client, ours] = duplexPair({ allowHalfOpen: false });
    handle(ours, []);
    await send(client, ASKING[protocol] ?? []);
    await asked;
    client.resume().end();
    await expect.poll(() => records).toMatchObject([{ allowed: false, reason: "host_not_allowed" }]);
  },
);

test.each(["CONNECT", "SOCKS"])("a client of %s that only ends what it sends has gone too", async (protocol) => {
  const { handle, asked, records } = heldBroker();
  const [client, ours] = await socketPair();
  handle(ours, []);
  await send(client, ASKING[protocol] ?? []);
  await asked;
  client.write("a beginning");
  client.end();
  await expect.poll(() => records).toMatchObject([{ allowed: false, reason: "host_not_allowed" }]);
});

/** More than is read ahead of a client. */
const MUCH = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));

test.each(["CONNECT", "SOCKS"])("what a client of %s sends before the answer is not lost", async (protocol) => {
  const got: Buffer[] = [];
  const port = await servers.tcp((socket) => socket.on("data", (bytes: Buffer) => got.push(bytes)));
  const { handle, asked, answer } = heldBroker();
  const [client, ours] = duplexPair({ allowHalfOpen: false });
  handle(ours, []);
  const asking = protocol === "SOCKS" ? [GREETING, socks("a.test", port)] : [`CONNECT a.test:${port} HTTP/1.1\r\n\r\n`];
  await send(
    client,
    asking.map((piece) => Buffer.from(piece)),
  );
  await asked;
  for (let from = 0; from < MUCH.length; from += 10_000) client.write(MUCH.subarray(from, from + 10_000));
  await expect.poll(() => ours.readableLength).toBeGreaterThan(0);
  answer();
  await expect.poll(() => Buffer.concat(got).equals(MUCH)).toBe(true);
  client.destroy();
});

/** A stream as those of sandboxes: when the client goes nothing can be written any more, whatever of it is still unread. */
function channel() {
  const stream = new Duplex({ allowHalfOpen: false, read() {}, write: (_chunk, _encoding, done) => done() });
  return {
    stream,
    come: (bytes: Uint8Array) => {
      for (let from = 0; from < bytes.length; from += 10_000) stream.push(bytes.subarray(from, from + 10_000));
    },
    go: () => {
      stream.push(null);
      stream.end();
    },
  };
}

test.each([
  ["HTTP", [Buffer.from(`POST http://a.test/x HTTP/1.1\r\nContent-Length: ${2 * MUCH.length}\r\n\r\n`)]],
  ["CONNECT", ASKING["CONNECT"] ?? []],
  ["SOCKS", ASKING["SOCKS"] ?? []],
] as const)("a client of %s that goes behind more than is read waits no longer", async (_protocol, pieces) => {
  const { handle, asked, records } = heldBroker();
  const { stream, come, go } = channel();
  handle(stream, []);
  for (const piece of pieces) come(piece);
  await asked;
  come(MUCH);
  go();
  await expect.poll(() => records).toMatchObject([{ allowed: false, reason: "host_not_allowed" }]);
  await expect.poll(() => stream.destroyed).toBe(true);
});
