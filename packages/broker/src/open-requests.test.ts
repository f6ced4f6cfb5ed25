import { once } from "node:events";
import type { Duplex } from "node:stream";
import { connect } from "node:tls";
import type { NetworkRule } from "@handrail/protocol/sources";
import { afterEach, expect, test } from "vitest";
import { rulesOf } from "./allow-list.ts";
import { ONCE } from "./authorise.ts";
import type { BrokerOptions } from "./create-broker.ts";
import { readAll, testBroker, testServers } from "./testing/broker-fixture.ts";
import { testHttps } from "./testing/tls-fixture.ts";
import { sandboxAuthority } from "./tls/sandbox-authority.ts";

const servers = testServers();
const closing: (() => void)[] = [];
afterEach(() => {
  servers.close();
  for (const close of closing.splice(0)) close();
});

const SWITCHING = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
const upgrade = (path: string, host: string) =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;

/** A broker whose rule can be changed, and an upstream that says what it gets, to WebSockets too. */
async function bench(more: Partial<BrokerOptions> = {}) {
  let rule: NetworkRule = { type: "none" };
  const port = await servers.tcp((socket) => {
    socket.once("data", (first: Buffer) => {
      socket.write(first.toString().startsWith("GET /chat") ? SWITCHING : first);
      socket.on("data", (bytes) => socket.write(bytes));
    });
  });
  const lookUp = async () => ({ rules: rulesOf(rule), bytesUsed: 0 });
  const { broker, records, open } = testBroker({ lookUp, ...more });
  return {
    port,
    records,
    open: () => open([]),
    change: async (next: NetworkRule) => {
      rule = next;
      await broker.recheck("c_1");
    },
    allow: (next: NetworkRule) => (rule = next),
  };
}

async function said(client: Duplex, bytes: string | Uint8Array): Promise<string> {
  const answer = once(client, "data");
  client.write(bytes);
  return String((await answer)[0]);
}

const hosts = (...names: string[]): NetworkRule => ({ type: "allow", presets: [], hosts: names });

/** SOCKS5's request for a name. */
const socks = (name: string, port: number) =>
  Buffer.from([5, 1, 0, 3, name.length, ...Buffer.from(name), port >> 8, port & 255]);

test("what a changed rule does not allow any more is broken off, of all kinds, and the rest goes on", async () => {
  const { port, records, open, change, allow } = await bench();
  allow(hosts(`a.test:${port}`, `b.test:${port}`));
  const [tunnel, other, socksed, chat] = [open(), open(), open(), open()] as const;
  expect(await said(tunnel, `CONNECT a.test:${port} HTTP/1.1\r\n\r\n`)).toContain(" 200 ");
  expect(await said(other, `CONNECT b.test:${port} HTTP/1.1\r\n\r\n`)).toContain(" 200 ");
  await said(socksed, Buffer.from([5, 1, 0]));
  await said(socksed, socks("a.test", port));
  expect(await said(chat, upgrade(`http://a.test:${port}/chat`, `a.test:${port}`))).toContain(" 101 ");
  for (const client of [tunnel, other, socksed]) expect(await said(client, "hello")).toBe("hello");
  await change(hosts(`b.test:${port}`, "more.test"));
  await Promise.all([tunnel, socksed, chat].map(readAll));
  expect(await said(other, "still here")).toBe("still here");
  await expect.poll(() => records.length).toBe(3);
  const ended = { host: "a.test", port, allowed: true, rule: `host a.test:${port}`, reason: "no_longer_allowed" };
  expect(records.toSorted((a, b) => a.method.localeCompare(b.method))).toMatchObject([
    { ...ended, method: "CONNECT", bytesUp: 5, bytesDown: 5 },
    { ...ended, method: "GET", path: "/chat" },
    { ...ended, method: "SOCKS", bytesUp: 5, bytesDown: 5 },
  ]);
});

test("a tunnel is broken off when only kinds of request to its host are allowed from then on", async () => {
  const { port, records, open, change, allow } = await bench();
  allow(hosts(`a.test:${port}`));
  const client = open();
  expect(await said(client, `CONNECT a.test:${port} HTTP/1.1\r\n\r\n`)).toContain(" 200 ");
  expect(await said(client, "\0hello")).toBe("\0hello");
  await change({ type: "allow", presets: [], hosts: [], requests: [{ host: "a.test", port, methods: ["GET"] }] });
  await readAll(client);
  await expect.poll(() => records).toMatchObject([{ reason: "no_longer_allowed" }]);
});

test("what was let through once stays when rules change, until there is to be no network", async () => {
  const { port, records, open, change, allow } = await bench({ askUser: async () => ONCE });
  allow(hosts("b.test"));
  const client = open();
  await said(client, `CONNECT a.test:${port} HTTP/1.1\r\n\r\n`);
  await change(hosts());
  expect(await said(client, "hello")).toBe("hello");
  await change({ type: "none" });
  await readAll(client);
  await expect.poll(() => records).toMatchObject([{ rule: "once", reason: "no_longer_allowed" }]);
});

test("a rule that is removed while the host is being dialled lets nothing through", async () => {
  const dialling = Promise.withResolvers<void>();
  const resolved = Promise.withResolvers<string[]>();
  const { port, records, open, change, allow } = await bench({
    resolve() {
      dialling.resolve();
      return resolved.promise;
    },
  });
  allow(hosts(`a.test:${port}`));
  const client = open();
  client.write(`CONNECT a.test:${port} HTTP/1.1\r\n\r\n`);
  await dialling.promise;
  await change(hosts());
  resolved.resolve(["127.0.0.1"]);
  expect(await readAll(client)).toBe("");
  await expect.poll(() => records).toMatchObject([{ allowed: true, reason: "no_longer_allowed", bytesUp: 0 }]);
});

test("in a connection that is opened for its requests, one whose kind is not allowed any more ends", async () => {
  const upstream = await testHttps("api.test", () => undefined);
  upstream.server.on("upgrade", (_request, socket) => {
    socket.on("error", () => undefined);
    socket.write(SWITCHING);
    socket.on("data", (bytes: Buffer) => socket.write(bytes));
  });
  closing.push(() => upstream.server.closeAllConnections());
  closing.push(() => upstream.server.close());
  const authority = sandboxAuthority();
  const openWith = async () => ({ authority, secrets: [], roots: upstream.roots });
  const { records, open, change, allow } = await bench({ openWith });
  const { port } = upstream;
  const kinds = (...paths: string[]): NetworkRule => ({
    type: "allow",
    presets: [],
    hosts: [],
    requests: paths.map((path) => ({ host: "api.test", port, methods: ["GET"], path })),
  });
  allow(kinds("/chat", "/other"));
  const client = open();
  await said(client, `CONNECT api.test:${port} HTTP/1.1\r\n\r\n`);
  const secure = connect({ socket: client, servername: "api.test", ca: [authority.certificate] });
  secure.on("error", () => undefined);
  await once(secure, "secureConnect");
  expect(await said(secure, upgrade("/chat", `api.test:${port}`))).toContain(" 101 ");
  await change(kinds("/chat"));
  expect(await said(secure, "hello")).toBe("hello");
  await change(kinds("/other"));
  await readAll(client);
  await expect
    .poll(() => records)
    .toMatchObject([
      { method: "GET", path: "/chat", rule: `request GET api.test:${port}/chat`, reason: "no_longer_allowed" },
    ]);
});

test("a request is written down before it goes out, and does not go when that fails", async () => {
  const asked: string[] = [];
  const ended: string[] = [];
  const { port, open, allow } = await bench({
    onBegin(request) {
      asked.push(`${request.method} ${request.host} ${request.path ?? ""}`);
      if (request.path === "/full") return { code: "unrecorded", message: "The disk is full." };
      return { end: ({ bytesUp }) => ended.push(String(bytesUp > 0)), drop: () => ended.push("dropped") };
    },
  });
  allow(hosts(`a.test:${port}`));
  const plain = open();
  expect(await said(plain, `GET http://a.test:${port}/full HTTP/1.1\r\n\r\n`)).toContain(
    "x-handrail-refused: unrecorded",
  );
  const tunnel = open();
  await said(tunnel, `CONNECT a.test:${port} HTTP/1.1\r\n\r\n`);
  expect(asked).toEqual(["GET a.test /full", "CONNECT a.test "]);
  // Plain HTTP in a tunnel: each request is one of its own.
  await said(tunnel, upgrade("/chat", `a.test:${port}`));
  expect([asked[2], ended]).toEqual(["GET a.test /chat", ["dropped"]]);
  tunnel.end();
  await readAll(tunnel);
  await expect.poll(() => ended).toEqual(["dropped", "true"]);
});
