import { once } from "node:events";
import { connect } from "node:net";
import { duplexPair } from "node:stream";
import { connect as tlsConnect } from "node:tls";
import type { NetworkRule } from "@handrail/protocol/sources";
import { afterEach, expect, test } from "vitest";
import { readHello } from "./client-hello.ts";
import { readAll, testBroker, testServers } from "./testing/broker-fixture.ts";
import { sandboxAuthority } from "./tls/sandbox-authority.ts";
import { tunnel } from "./tunnel.ts";

const servers = testServers();
afterEach(() => servers.close());

/** The first bytes that a real TLS client sends for a name. */
async function helloFor(servername: string): Promise<Buffer> {
  const got = Promise.withResolvers<Buffer>();
  const port = await servers.tcp((socket) => socket.once("data", (bytes: Buffer) => got.resolve(bytes)));
  const client = tlsConnect({ port, host: "127.0.0.1", ...(servername === "" ? {} : { servername }) });
  client.on("error", () => undefined);
  const bytes = await got.promise;
  client.destroy();
  return bytes;
}

/** A hello spread over records of one byte each, as TLS allows. */
function scattered(hello: Buffer): Buffer {
  return Buffer.concat([...hello.subarray(5)].map((byte) => Buffer.from([22, 3, 1, 0, 1, byte])));
}

test("the name is read from a whole hello, however it is spread, and no cut or garbled one is misread", async () => {
  const hello = await helloFor("a.test");
  expect(readHello(hello)).toEqual({ name: "a.test" });
  expect(readHello(scattered(hello))).toEqual({ name: "a.test" });
  for (let end = 0; end < hello.length; end++) expect(readHello(hello.subarray(0, end))).toBe("more");
  for (let at = 5; at < hello.length; at++) {
    const garbled = Buffer.from(hello);
    garbled[at] = 255 - (garbled[at] ?? 0);
    expect(["string", "object"]).toContain(typeof readHello(garbled));
  }
  const endless = Buffer.alloc(70_000, scattered(Buffer.from([22, 3, 1, 255, 255, 1, 255, 255, 255])));
  expect(readHello(endless.subarray(0, 60_000))).toBe("more");
  expect(readHello(endless)).toEqual({ name: undefined });
  expect(readHello(await helloFor(""))).toEqual({ name: undefined });
  expect(readHello(Buffer.from("SSH-2.0-x"))).toBe("other");
});

/** A record with a fatal alert, as latin1. */
const UNRECOGNIZED_NAME = "\u0015\u0003\u0003\u0000\u0002\u0002\u0070";

test("a TLS client in a tunnel must ask for the host that the tunnel leads to", async () => {
  const port = await servers.tcp((socket) => socket.once("data", () => socket.end("seen")));
  const send = async (host: string, bytes: Buffer) => {
    const { open, records } = testBroker();
    const client = open([`${host}:${port}`]);
    client.write(`CONNECT ${host}:${port} HTTP/1.1\r\n\r\n`);
    await once(client, "data");
    client.write(bytes);
    const answer = await readAll(client);
    client.end();
    await expect.poll(() => records.length).toBe(1);
    return [answer, records[0]?.allowed, records[0]?.reason];
  };
  const hello = await helloFor("a.test");
  const nameless = await helloFor("");
  expect(await send("a.test", hello)).toEqual(["seen", true, undefined]);
  expect(await send("a.test", scattered(hello))).toEqual(["seen", true, undefined]);
  expect(await send("127.0.0.1", nameless)).toEqual(["seen", true, undefined]);
  expect(await send("b.test", hello)).toEqual([UNRECOGNIZED_NAME, false, "sni_mismatch"]);
  expect(await send("b.test", scattered(hello))).toEqual([UNRECOGNIZED_NAME, false, "sni_mismatch"]);
  expect(await send("a.test", nameless)).toEqual([UNRECOGNIZED_NAME, false, "sni_mismatch"]);
  expect(await send("127.0.0.1", hello)).toEqual([UNRECOGNIZED_NAME, false, "sni_mismatch"]);
});

/** With other bytes at a place from the name on. */
const changed = (hello: Buffer, name: string, by: number, bytes: Uint8Array | string) => {
  const copy = Buffer.from(hello);
  Buffer.from(bytes).copy(copy, hello.indexOf(name) + by);
  return copy;
};

test.each<[string, string, () => Promise<Buffer>]>([
  ["names an address", "127.0.0.1", async () => changed(await helloFor("127-0-0-1"), "127-0-0-1", 0, "127.0.0.1")],
  [
    "names something of another kind",
    "a.test",
    async () => changed(await helloFor("a.test"), "a.test", -3, Uint8Array.of(1)),
  ],
  [
    "is none of a client",
    "a.test",
    async () => {
      const hello = await helloFor("a.test");
      hello[5] = 2;
      return hello;
    },
  ],
  ["ends in the middle", "a.test", async () => (await helloFor("a.test")).subarray(0, 40)],
])("a TLS hello gets nowhere that %s", async (_what, host, hello) => {
  let got = 0;
  const port = await servers.tcp((socket) => socket.on("data", (bytes) => (got += bytes.length)));
  const { open, records } = testBroker();
  const client = open([`${host}:${port}`]);
  client.write(`CONNECT ${host}:${port} HTTP/1.1\r\n\r\n`);
  await once(client, "data");
  client.end(await hello());
  expect(await readAll(client)).toBe(UNRECOGNIZED_NAME);
  await expect.poll(() => records).toMatchObject([{ reason: "sni_mismatch" }]);
  expect(got).toBe(0);
});

test("a host that speaks first is heard before the client says anything", async () => {
  const port = await servers.tcp((socket) => socket.write("220 ready"));
  const { open } = testBroker();
  const client = open([`a.test:${port}`]);
  client.write(`CONNECT a.test:${port} HTTP/1.1\r\n\r\n`);
  let text = "";
  client.on("data", (chunk) => (text += String(chunk)));
  await expect.poll(() => text).toContain("220 ready");
  client.destroy();
});

/** What comes back for bytes in a tunnel to a.test, and what the broker reports of it. */
async function tunnelled(port: number, bytes: string, rule: readonly string[] | NetworkRule = [`a.test:${port}`]) {
  const authority = sandboxAuthority();
  const { open, records } = testBroker({ openWith: async () => ({ authority, secrets: [] }) });
  const client = open(rule);
  client.write(`CONNECT a.test:${port} HTTP/1.1\r\n\r\n`);
  await once(client, "data");
  const answer = readAll(client).finally(() => client.end());
  for (const piece of bytes.match(/[^]{1,7}/g) ?? []) {
    client.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { answer, records };
}

const TO = (host: string, path = "/", more = "") => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`;
const CLOSE = "Connection: close\r\n";

test("plain HTTP in a tunnel goes through request by request, each for the host that the tunnel leads to", async () => {
  const seen: (string | undefined)[] = [];
  const port = await servers.http((request, response) => {
    seen.push(`${request.method} ${request.headers.host}${request.url}`);
    request.pipe(response);
  });
  const host = `a.test:${port}`;
  const post = `POST /p?q=1 HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 5\r\n\r\nhello`;
  const { answer, records } = await tunnelled(port, post + TO(host, "/a") + TO(`b.test:${port}`, "/b"));
  const text = await answer;
  expect([...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => status)).toEqual(["200", "200", "400"]);
  expect(text).toMatch(/hello[^]*x-handrail-refused: host_mismatch/);
  expect(seen).toEqual([`POST ${host}/p?q=1`, `GET ${host}/a`]);
  await expect
    .poll(() => records)
    .toMatchObject([
      { method: "POST", path: "/p", allowed: true, rule: `host ${host}` },
      { method: "GET", path: "/a", allowed: true },
      { method: "GET", path: "/b", allowed: false, reason: "host_mismatch" },
    ]);
});

test.each([
  ["empty lines before it", `\r\n\n${TO("b.test")}`],
  ["lines without their returns", "GET / HTTP/1.1\nHost: b.test\n\n"],
  ["more spaces", "GET  /  HTTP/1.1\r\nHost: b.test\r\n\r\n"],
  ["tabs", "GET\t/\tHTTP/1.1\r\nHost: b.test\r\n\r\n"],
  ["HTTP/1.0", "GET / HTTP/1.0\r\nHost: b.test\r\n\r\n"],
  ["a method of its own", "FETCH-IT / HTTP/1.1\r\nHost: b.test\r\n\r\n"],
  ["a whole address", TO("a.test", "http://b.test/")],
  ["two hosts", `GET / HTTP/1.1\r\nHost: b.test\r\nHost: a.test\r\n\r\n`],
  ["a line without end", `GET /${"x".repeat(40_000)}`],
])("a request for another host does not get through a tunnel with %s", async (_what, bytes) => {
  let got = "";
  const port = await servers.tcp((socket) => socket.on("data", (chunk) => (got += String(chunk))));
  const { answer } = await tunnelled(port, bytes.replaceAll("a.test", `a.test:${port}`));
  expect(await answer).not.toContain("200 OK");
  expect(got).toBe("");
});

test.each(["get", "M-1.x!#$%&'*+^_`|~"])(
  "a request with the method %s gets no further than its first line, and at once not even there",
  async (method) => {
    let got = "";
    const port = await servers.tcp((socket) => socket.on("data", (chunk) => (got += String(chunk))));
    const line = `${method} /x HTTP/1.1`;
    const rest = "\r\nHost: b.test\r\n\r\n";
    const { open, records } = testBroker();
    for (const pieces of [[line + rest], [line, rest], Array.from(line + rest)]) {
      const client = open([`a.test:${port}`]);
      client.write(`CONNECT a.test:${port} HTTP/1.1\r\n\r\n`);
      await once(client, "data");
      const answer = readAll(client).finally(() => client.end());
      for (const piece of pieces) {
        client.write(piece);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await answer;
    }
    await expect.poll(() => records.length).toBe(3);
    expect(got.replaceAll(line, "")).toBe("");
    expect(records.map(({ reason }) => reason)).toEqual([undefined, "request_invalid", "request_invalid"]);
  },
);

test("HTTP/2 without TLS is refused on the ports of the web", async () => {
  let got = "";
  const port = await servers.tcp((socket) => socket.on("data", (chunk) => (got += String(chunk))));
  for (const web of [80, 443]) {
    const upstream = connect(port, "127.0.0.1");
    const [client, theirs] = duplexPair();
    client.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    const target = { host: { name: "a.test", address: false }, port: web };
    const plain = async () => undefined;
    const refusal = await tunnel({ client: theirs, upstream, head: new Uint8Array(), target, plain });
    expect([refusal?.code, got]).toEqual(["request_unseen", ""]);
  }
});

test("an old request that names no host is told the tunnel's", async () => {
  const port = await servers.http((request, response) => response.end(`for ${request.headers.host}`));
  const { answer } = await tunnelled(port, "GET / HTTP/1.0\r\n\r\n");
  expect(await answer).toMatch(new RegExp(`^HTTP/1\\.1 200 OK[^]*for a\\.test:${port}$`));
});

test("in a tunnel to a host of which only kinds of request are allowed, plain ones are told apart", async () => {
  const port = await servers.http((_request, response) => response.end("ok"));
  const requests = [{ host: "a.test", port, methods: ["GET"], path: "/v1/**" }];
  const host = `a.test:${port}`;
  const { answer } = await tunnelled(port, TO(host, "/v1/x") + TO(host, "/v2/x", CLOSE), {
    type: "allow",
    presets: [],
    hosts: [],
    requests,
  });
  expect(await answer).toMatch(
    /^HTTP\/1\.1 200 OK[^]*ok[^]*HTTP\/1\.1 403 [^]*x-handrail-refused: request_not_allowed/,
  );
});

test("a WebSocket through a tunnel is passed on", async () => {
  const port = await servers.tcp((socket) =>
    socket.once("data", () => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
      socket.once("data", (chunk) => socket.end(`echo ${String(chunk)}`));
    }),
  );
  const { answer, records } = await tunnelled(
    port,
    `${TO(`a.test:${port}`, "/ws", "Connection: Upgrade\r\nUpgrade: websocket\r\n")}ping`,
  );
  expect(await answer).toMatch(/^HTTP\/1\.1 101 [^]*echo p/);
  await expect.poll(() => records).toMatchObject([{ path: "/ws", allowed: true }]);
});

test.each([
  "SSH-2.0-x\r\n",
  "hello",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "\0\u0001",
  "<stream>",
  "HELO me\r\n",
  "HELO me\0",
])("what is neither TLS nor HTTP/1 passes as it is: %j", async (bytes) => {
  let got = "";
  const port = await servers.tcp((socket) =>
    socket.on("data", (chunk) => {
      got += chunk.toString("latin1");
      if (got.length === bytes.length) socket.end("seen");
    }),
  );
  const { answer } = await tunnelled(port, bytes);
  expect([await answer, got]).toEqual(["seen", bytes]);
});
