import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { readAll, socketPair, testBroker, testServers } from "./testing/broker-fixture.ts";

const servers = testServers();
afterEach(() => servers.close());

test("a client that is slow with its request is told so and closed", async () => {
  const { open, records } = testBroker({ headMs: 60 });
  const client = open(["a.test"]);
  const drip = setInterval(() => client.writable && client.write("X: 1\r\n"), 10);
  client.write("GET http://a.test/ HTTP/1.1\r\n");
  const answer = await readAll(client);
  clearInterval(drip);
  expect(answer).toMatch(/^HTTP\/1.1 408 .*x-handrail-refused: timed_out/s);
  expect(records.map((record) => record.reason)).toEqual(["timed_out"]);
});

test("a request head over 16 kB is refused", async () => {
  const { ask, records } = testBroker();
  const answer = await ask(["a.test"], `GET http://a.test/ HTTP/1.1\r\nX: ${"x".repeat(20_000)}\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1.1 400 .*request_invalid/s);
  expect(records.map((record) => record.reason)).toEqual(["request_invalid"]);
});

test("a silent tunnel is closed after a while", async () => {
  const port = await servers.tcp((socket) => socket.resume());
  const { handle } = testBroker({ idleMs: 50 });
  const [client, ours] = await socketPair();
  handle(ours, [`a.test:${port}`]);
  client.write(`CONNECT a.test:${port} HTTP/1.1\r\n\r\n`);
  expect(await readAll(client)).toBe("HTTP/1.1 200 Connection Established\r\n\r\n");
});

test("one sandbox cannot use up the connections of another, and gets its own back", async () => {
  const port = await servers.tcp((socket) => socket.on("data", () => socket.end()));
  const { open } = testBroker({ limits: { connections: 2 } });
  const connectAs = async (conversationId: string) => {
    const client = open([`a.test:${port}`], conversationId);
    client.write(`CONNECT a.test:${port} HTTP/1.1\r\n\r\n`);
    const [head] = await once(client, "data");
    return [String(head).split("\r\n")[0], client] as const;
  };
  const [first, client] = await connectAs("c_1");
  expect(first).toBe("HTTP/1.1 200 Connection Established");
  expect((await connectAs("c_1"))[0]).toBe("HTTP/1.1 200 Connection Established");
  expect((await connectAs("c_1"))[0]).toBe("HTTP/1.1 429 Too Many Requests");
  expect((await connectAs("c_2"))[0]).toBe("HTTP/1.1 200 Connection Established");
  client.end("bye");
  client.resume();
  await expect.poll(async () => (await connectAs("c_1"))[0]).toBe("HTTP/1.1 200 Connection Established");
});

test("closing the broker breaks off what is open", async () => {
  const port = await servers.tcp((socket) => socket.resume());
  const { broker, handle } = testBroker();
  const [client, ours] = await socketPair();
  handle(ours, [`a.test:${port}`]);
  client.write(`CONNECT a.test:${port} HTTP/1.1\r\n\r\n`);
  await once(client, "data");
  broker.close();
  await readAll(client);
  expect(ours.destroyed).toBe(true);
});

test("garbage of any kind ends in an answer or a close, and is never dialled", async () => {
  const resolved: string[] = [];
  const { open } = testBroker({
    headMs: 100,
    resolve: async (name) => {
      resolved.push(name);
      return [];
    },
  });
  const garbage = [
    ...Array.from({ length: 30 }, () => randomBytes(200)),
    Buffer.from("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "latin1"),
    Buffer.from("\x05\x01\x00", "latin1"),
    Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    Buffer.from("CONNECT\r\n\r\n"),
    Buffer.from("CONNECT a.test:443 HTTP/9.9\r\n\r\n"),
    Buffer.from("\r\n\r\n\r\n"),
    Buffer.from("GET http://a.test/ HTTP/1.1\r\nHost: x\r\n"),
    Buffer.alloc(0),
  ];
  for (const bytes of garbage) {
    const client = open(["a.test"]);
    client.end(bytes);
    await readAll(client);
  }
  expect(resolved).toEqual([]);
});
