import { once } from "node:events";
import { text } from "node:stream/consumers";
import { connect } from "node:tls";
import { expect, test } from "vitest";
import type { HeldSecret } from "../secrets/held-secret.ts";
import { testBroker } from "../testing/broker-fixture.ts";
import { ask, closedAfterEach, testHttps } from "../testing/tls-fixture.ts";
import { sandboxAuthority } from "./sandbox-authority.ts";

const closing = closedAfterEach();

/** A host that answers before it has a whole request, and clients' connections to it that the broker opens. */
async function bench() {
  const upstream = await testHttps("api.example", (_request, response) => void response.end("ok"));
  closing.push(
    () => upstream.server.closeAllConnections(),
    () => upstream.server.close(),
  );
  const host = `api.example:${upstream.port}`;
  const secret: HeldSecret = {
    name: "API",
    value: "s3cr3t-value-0123456789",
    placeholder: undefined,
    use: { type: "header", hosts: [{ host: "api.example", port: upstream.port }] },
  };
  const authority = sandboxAuthority();
  const opening = { authority, secrets: [secret], roots: upstream.roots };
  const { open, records } = testBroker({ openWith: async () => opening });
  const client = async () => {
    const raw = open([host]);
    raw.write(`CONNECT ${host} HTTP/1.1\r\n\r\n`);
    await once(raw, "data");
    raw.pause();
    const socket = connect({ socket: raw, servername: "api.example", ca: [authority.certificate] });
    socket.on("error", () => undefined);
    await once(socket, "secureConnect");
    return socket;
  };
  return { host, client, records };
}

test.each([
  ["ends in the middle of a body", "POST /x HTTP/1.1\r\nHost: HOST\r\nContent-Length: 500\r\n\r\nhello"],
  ["asks for a proxy", "CONNECT other.example:443 HTTP/1.1\r\nHost: HOST\r\n\r\n"],
  ["speaks nonsense", "\0\u0001\r\n\r\n"],
  ["sends too many requests at once", "GET /x HTTP/1.1\r\nHost: HOST\r\n\r\n".repeat(1000)],
])("a client that %s ends its own connection alone", async (_what, bytes) => {
  const { host, client } = await bench();
  for (let count = 0; count < 5; count += 1) {
    const socket = await client();
    socket.end(bytes.replaceAll("HOST", host));
    await text(socket).catch(() => "");
    socket.destroy();
  }
  const answer = await ask(await client(), { path: "/x", headers: { host } });
  expect([answer.status, answer.body.toString()]).toEqual([200, "ok"]);
});

test("a CONNECT within an opened connection is refused with a sentence", async () => {
  const { host, client } = await bench();
  const socket = await client();
  socket.write(`CONNECT other.example:443 HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 [^]*x-handrail-refused: request_invalid\r\n/);
});
