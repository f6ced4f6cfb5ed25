import { once } from "node:events";
import { expect, test } from "vitest";
import type { HeldSecret } from "../secrets/held-secret.ts";
import { readAll } from "../testing/broker-fixture.ts";
import { closedAfterEach, testHttps, testOpened } from "../testing/tls-fixture.ts";

const closing = closedAfterEach();

const HOST = "api.example";
const VALUE = "s3cr3t-value-0123456789";
const SECRET: HeldSecret = {
  name: "API",
  value: VALUE,
  placeholder: undefined,
  use: { type: "header", hosts: [{ host: HOST }] },
};

/** What the sandbox is told, as latin1, when the host answers with this. */
async function told(answer: string, more = ""): Promise<string> {
  const upstream = await testHttps(HOST, () => undefined);
  upstream.server
    .removeAllListeners("request")
    .on("request", ({ socket }) => socket.end(Buffer.from(answer, "latin1")));
  upstream.server.on("upgrade", (_request, socket) => socket.end(Buffer.from(answer, "latin1")));
  const { secure, raw } = testOpened(HOST, upstream, [SECRET]);
  closing.push(
    () => raw.destroy(),
    () => upstream.server.close(),
  );
  const socket = secure();
  await once(socket, "secureConnect");
  socket.write(`GET /x HTTP/1.1\r\nHost: ${HOST}\r\n${more}\r\n`);
  return readAll(socket);
}

const UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\n";

test.each([
  ["an answer", "HTTP/1.1 200 OK\r\n", ""],
  ["an answer to a WebSocket", "HTTP/1.1 200 OK\r\n", UPGRADE],
  ["a WebSocket", `HTTP/1.1 101 Switching\r\n${UPGRADE}`, UPGRADE],
])("of %s a header whose name holds a secret is left out, and others come byte for byte", async (_what, line, more) => {
  const answer = await told(`${line}x-${VALUE}: 1\r\nx-name: caf\xe9\r\nx-last: 2\r\n\r\n`, more);
  expect(answer).not.toContain(VALUE);
  expect(answer).toMatch(/^HTTP\/1\.1 [12]0[01] [^]*\r\nx-name: caf\xe9\r\nx-last: 2\r\n/);
});
