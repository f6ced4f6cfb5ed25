import type { IncomingMessage, ServerResponse } from "node:http";
import { buffer, text } from "node:stream/consumers";
import { brotliCompressSync, constants, createZstdCompress, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import type { HeldSecret } from "../secrets/held-secret.ts";
import { ask, closedAfterEach, testHttps, testOpened } from "../testing/tls-fixture.ts";

const closing = closedAfterEach();

const HOST = "api.example";
const VALUE = "s3cr3t-value-0123456789";
const SECRET: HeldSecret = {
  name: "API",
  value: VALUE,
  placeholder: undefined,
  use: { type: "header", hosts: [{ host: HOST, path: "/v1/**" }] },
};
const MASKED = `[secret API]${"*".repeat(VALUE.length - 12)}`;

async function opened(listener: (request: IncomingMessage, response: ServerResponse) => void) {
  const upstream = await testHttps(HOST, listener);
  const open = testOpened(HOST, upstream, [SECRET]);
  closing.push(
    () => upstream.server.closeAllConnections(),
    () => upstream.server.close(),
    () => open.raw.destroy(),
  );
  return open;
}

const headers = { host: HOST };
const gzip = (bytes: Buffer | string) => gzipSync(bytes);

test.each([
  ["gzip", gzip],
  ["X-Gzip", gzip],
  ["deflate", (bytes: string) => deflateSync(bytes)],
  ["br", (bytes: string) => brotliCompressSync(bytes)],
  ["zstd", (bytes: string) => zstdCompressSync(bytes)],
  ["gzip, br", (bytes: string) => brotliCompressSync(gzipSync(bytes))],
])(
  "an answer that is packed though it was not to be, as %s, is masked and handed on unpacked",
  async (coding, pack) => {
    const { secure } = await opened((_request, response) => {
      const bytes = pack(`before ${VALUE} after`);
      response.writeHead(200, { "content-encoding": coding, "content-length": bytes.length, "x-other": "kept" });
      // In pieces, so that the secret is cut.
      for (const byte of bytes) response.write(Buffer.of(byte));
      response.end();
    });
    const answer = await ask(secure(), { path: "/v1/x", headers });
    expect(answer.body.toString()).toBe(`before ${MASKED} after`);
    expect(answer.headers).toMatchObject({ "x-other": "kept", "transfer-encoding": "chunked" });
    expect(Object.keys(answer.headers)).not.toContain("content-encoding");
  },
);

test("a request without a secret gets the answer as it was packed", async () => {
  const packed = gzip("as it is");
  const { secure } = await opened((_request, response) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end(packed);
  });
  const answer = await ask(secure(), { path: "/v2/x", headers });
  expect([answer.headers["content-encoding"], answer.body]).toEqual(["gzip", packed]);
});

test.each([
  ["an unknown coding", 200, { "content-encoding": "compress" }],
  ["a coding of the transfer", 200, { "transfer-encoding": "compress, chunked" }],
  ["too many codings", 200, { "content-encoding": "gzip, gzip, gzip" }],
  ["a part of something packed", 206, { "content-encoding": "gzip", "content-range": "bytes 0-9/20" }],
])(
  "what cannot be looked into is refused where a secret was put in, and the list says so: %s",
  async (_what, status, packed) => {
    const { secure, records, over } = await opened((_request, response) => {
      const lines = Object.entries(packed).map(([name, value]) => `${name}: ${value}\r\n`);
      const chunk = `\r\n${VALUE.length.toString(16)}\r\n${VALUE}\r\n0\r\n\r\n`;
      const whole = `content-length: ${VALUE.length}\r\n\r\n${VALUE}`;
      const rest = "transfer-encoding" in packed ? chunk : whole;
      response.socket?.write(`HTTP/1.1 ${status} OK\r\n${lines.join("")}${rest}`);
    });
    const socket = secure();
    const answer = await ask(socket, { path: "/v1/x", headers });
    expect([answer.status, answer.headers["x-handrail-refused"]]).toEqual([502, "answer_unreadable"]);
    expect(answer.body.toString()).not.toContain(VALUE);
    socket.end();
    await over;
    expect(records).toMatchObject([
      { path: "/v1/x", rule: "host test", reason: "answer_unreadable", secrets: ["API"] },
    ]);
  },
);

test.each(["HEAD", "GET"])("an answer without a body keeps what it says of one: %s", async (method) => {
  const { secure } = await opened((_request, response) => {
    response.writeHead(method === "HEAD" ? 200 : 304, { "content-encoding": "gzip", etag: '"a"' }).end();
  });
  const answer = await ask(secure(), { path: "/v1/x", method, headers });
  expect(answer.headers).toMatchObject({ "content-encoding": "gzip", etag: '"a"' });
});

test("an answer that becomes far more than what came is broken off, and not held in memory", async () => {
  // Packed one by one it takes no time: what is joined is unpacked as one (RFC 1952 2.2).
  const bomb = Buffer.concat(Array<Buffer>(300).fill(gzip(Buffer.alloc(1024 * 1024))));
  const { secure, records, over } = await opened((_request, response) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end(bomb);
  });
  const before = process.memoryUsage().rss;
  const socket = secure();
  const length = ask(socket, { path: "/v1/x", headers }).then(({ body }) => body.length);
  await expect(length).rejects.toThrow();
  await over;
  expect(records).toMatchObject([{ reason: "answer_unreadable" }]);
  expect(process.memoryUsage().rss - before).toBeLessThan(250 * 1024 * 1024);
});

/** In a frame that asks for a window of so much memory to be unpacked. */
async function zstdWithWindow(windowLog: number, bytes: Buffer): Promise<Buffer> {
  const packing = createZstdCompress({ params: { [constants.ZSTD_c_windowLog]: windowLog } });
  // Without the flush its size would be known, and the window as small.
  packing.write(bytes);
  packing.flush(() => packing.end());
  return buffer(packing);
}

test("an answer that takes more memory to unpack than the web's do is broken off", async () => {
  const told = async (windowLog: number) => {
    const packed = await zstdWithWindow(windowLog, Buffer.from(`before ${VALUE} after`));
    const { secure } = await opened((_request, response) => {
      response.writeHead(200, { "content-encoding": "zstd" }).end(packed);
    });
    return (await ask(secure(), { path: "/v1/x", headers })).body.toString();
  };
  expect(await told(23)).toBe(`before ${MASKED} after`);
  await expect(told(24)).rejects.toThrow();
});

test("an answer that is not what it says is broken off", async () => {
  const { secure } = await opened((_request, response) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end(`not packed ${VALUE}`);
  });
  await expect(ask(secure(), { path: "/v1/x", headers })).rejects.toThrow();
});

test("a WebSocket whose host wants to compress, unasked, is refused", async () => {
  const upstream = await testHttps(HOST, () => undefined);
  upstream.server.on("upgrade", (_request, socket) => {
    socket.on("error", () => undefined);
    socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n");
    socket.write(`sec-websocket-extensions: permessage-deflate\r\n\r\n${VALUE}`);
  });
  const { secure, raw, records, over } = testOpened(HOST, upstream, [SECRET]);
  closing.push(
    () => upstream.server.close(),
    () => raw.destroy(),
  );
  const socket = secure();
  socket.write(`GET /v1/ws HTTP/1.1\r\nhost: ${HOST}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n`);
  const told = await text(socket);
  expect(told).toMatch(/^HTTP\/1\.1 502 [^]*x-handrail-refused: answer_unreadable/);
  expect(told).not.toContain(VALUE);
  socket.end();
  await over;
  expect(records).toMatchObject([{ path: "/v1/ws", reason: "answer_unreadable" }]);
});
