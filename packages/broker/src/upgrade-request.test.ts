import { createHash } from "node:crypto";
import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { readAll, testBroker, testServers } from "./testing/broker-fixture.ts";

const servers = testServers();
afterEach(() => servers.close());

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = createHash("sha1").update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
const ask = (port: number, host = "a.test") =>
  `GET http://${host}:${port}/chat?x=1 HTTP/1.1\r\nHost: ${host}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`;

test("a WebSocket over plain HTTP is passed on where its host is allowed", async () => {
  let got = "";
  const port = await servers.tcp((socket) =>
    socket.on("data", (chunk) => {
      got += chunk.toString("latin1");
      if (got.endsWith("\r\n\r\n")) {
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n\r\nfirst`,
        );
      }
      if (got.endsWith("ping")) socket.end("pong");
    }),
  );
  const { open, records } = testBroker();
  const client = open([`a.test:${port}`]);
  client.write(ask(port));
  await once(client, "data");
  client.end("ping");
  expect(await readAll(client)).toMatch(/(?:first)?pong$/);
  expect(got).toBe(
    `GET /chat?x=1 HTTP/1.1\r\nHost: a.test:${port}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n` +
      "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\nping",
  );
  await expect.poll(() => records).toMatchObject([{ method: "GET", path: "/chat", allowed: true }]);
});

test("a server that does not agree to a WebSocket has its answer passed on", async () => {
  const port = await servers.http((_request, response) => response.writeHead(426).end("no"));
  expect(await testBroker().ask([`a.test:${port}`], ask(port))).toMatch(/^HTTP\/1.1 426 [^]*no/);
});

test("a WebSocket to a host that no rule allows is refused", async () => {
  const answer = await testBroker().ask(["b.test"], ask(80));
  expect(answer).toMatch(/^HTTP\/1.1 403 [^]*x-handrail-refused: host_not_allowed/);
});
