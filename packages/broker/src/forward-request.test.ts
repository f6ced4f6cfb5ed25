import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { readAll, testBroker, testServers } from "./testing/broker-fixture.ts";

const servers = testServers();
afterEach(() => servers.close());

/** A server that answers with the head and body that it got, as text. */
const mirror = () =>
  servers.tcp((socket) => {
    let got = "";
    socket.on("data", (chunk) => {
      got += chunk.toString("latin1");
      if (!isWhole(got)) return;
      socket.end(
        `HTTP/1.1 200 OK\r\nX-Kept: 1\r\nKeep-Alive: x\r\nContent-Length: ${got.length}\r\n\r\n${got}`,
        "latin1",
      );
    });
  });

function isWhole(text: string): boolean {
  const [head = "", body] = text.split("\r\n\r\n", 2);
  if (body === undefined) return false;
  if (/transfer-encoding: chunked/i.test(head)) return text.endsWith("0\r\n\r\n");
  return body.length >= Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
}

const bodyOf = (answer: string) => answer.slice(answer.indexOf("\r\n\r\n") + 4);

test("a plain request goes on with its headers, less those that are for the proxy, and nothing is added", async () => {
  const port = await mirror();
  const { ask, records } = testBroker();
  const answer = await ask(
    [`a.test:${port}`],
    [
      `GET http://A.test:${port}/x?y=1#z HTTP/1.1`,
      `Host: A.TEST:${port}`,
      "User-Agent: curl/8",
      "Proxy-Authorization: Basic c2VjcmV0",
      "Proxy-Connection: keep-alive",
      "Connection: X-Drop, keep-alive",
      "X-Drop: 1",
      "TE: trailers",
      "Upgrade: h2c",
      "Accept: a",
      "Accept: b",
      "",
      "",
    ].join("\r\n"),
  );
  expect(bodyOf(answer).split("\r\n")).toEqual([
    "GET /x?y=1 HTTP/1.1",
    `Host: a.test:${port}`,
    "User-Agent: curl/8",
    "Accept: a",
    "Accept: b",
    "Connection: keep-alive",
    "",
    "",
  ]);
  expect(answer.split("\r\n").slice(0, 4)).toEqual([
    "HTTP/1.1 200 OK",
    "X-Kept: 1",
    expect.stringMatching(/^Content-Length: \d+$/),
    "Connection: close",
  ]);
  await expect
    .poll(() => records)
    .toMatchObject([{ method: "GET", host: "a.test", port, path: "/x", allowed: true, reason: undefined }]);
});

test("a body goes on as it is framed, and a request without one cannot hide one", async () => {
  const port = await mirror();
  const { ask } = testBroker();
  const send = async (method: string, headers: string, body: string) =>
    bodyOf(
      await ask(
        [`a.test:${port}`],
        `${method} http://a.test:${port}/ HTTP/1.1\r\nHost: a.test:${port}\r\n${headers}\r\n${body}`,
      ),
    );
  const head = (method: string) => `${method} / HTTP/1.1\r\nHost: a.test:${port}\r\n`;
  expect(await send("POST", "Content-Length: 3\r\n", "abc")).toBe(
    `${head("POST")}Content-Length: 3\r\nConnection: keep-alive\r\n\r\nabc`,
  );
  expect(await send("POST", "Content-Length: 3\r\nConnection: content-length, host\r\n", "abc")).toBe(
    `${head("POST")}Content-Length: 3\r\nConnection: keep-alive\r\n\r\nabc`,
  );
  expect(await send("POST", "", "")).toBe(`${head("POST")}Content-Length: 0\r\nConnection: keep-alive\r\n\r\n`);
  for (const method of ["POST", "GET"]) {
    expect(await send(method, "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n")).toBe(
      `${head(method)}Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    );
  }
});

test.each([
  ["both framings", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"],
  ["both framings, the other order", "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"],
  ["two lengths", "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"],
  ["an unknown coding", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"],
  ["a space before the colon", "Content-Length : 3\r\n\r\nabc"],
  ["a folded header", "X: 1\r\n Content-Length: 3\r\n\r\nabc"],
  ["a bare line feed", "X: 1\nContent-Length: 3\r\n\r\nabc"],
  ["a bare carriage return", "X: 1\rContent-Length: 3\r\n\r\nabc"],
  ["a negative length", "Content-Length: -1\r\n\r\nabc"],
  ["a zero byte", "X: \0\r\n\r\n"],
])("a request with %s is not passed on", async (_what, rest) => {
  let connections = 0;
  const port = await servers.tcp((socket) => {
    connections++;
    socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  });
  const { ask } = testBroker();
  const answer = await ask(
    [`a.test:${port}`],
    `POST http://a.test:${port}/ HTTP/1.1\r\nHost: a.test:${port}\r\n${rest}`,
  );
  expect(answer).not.toContain("200");
  expect(connections).toBe(0);
});

test("garbage behind a request is neither answered nor recorded", async () => {
  const port = await servers.http((_request, response) => setImmediate(() => response.end("ok")));
  const { open, records } = testBroker();
  const client = open([`a.test:${port}`]);
  client.write(`GET http://a.test:${port}/ HTTP/1.1\r\nHost: a.test:${port}\r\n\r\n\0garbage\r\n\r\n`);
  expect(await readAll(client)).not.toContain("x-handrail-refused");
  client.end();
  await expect.poll(() => records.map(({ method }) => method)).toEqual(["GET"]);
});

test("another protocol than a WebSocket's is not asked for", async () => {
  const seen: unknown[] = [];
  const port = await servers.http((request, response) => {
    seen.push(request.headers.upgrade);
    response.end("ok");
  });
  const upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n";
  const text = `GET http://a.test:${port}/ HTTP/1.1\r\nHost: a.test:${port}\r\n${upgrade}\r\n`;
  expect(await testBroker().ask([`a.test:${port}`], text)).toMatch(/^HTTP\/1\.1 200 OK[^]*ok/);
  expect(seen).toEqual([undefined]);
});

test("what comes behind the first request of a connection is never served", async () => {
  const seen: string[] = [];
  const port = await servers.http((request, response) => {
    seen.push(request.url ?? "");
    response.end("ok");
  });
  const line = (path: string) => `GET http://a.test:${port}${path} HTTP/1.1\r\nHost: a.test:${port}\r\n\r\n`;
  for (const second of [
    line("/2"),
    `CONNECT a.test:${port} HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\nHost: a.test:${port}\r\n\r\n`,
  ]) {
    const { ask, records } = testBroker();
    await ask([`a.test:${port}`], line("/1") + second);
    await expect.poll(() => records.map((record) => record.method)).toEqual(["GET"]);
  }
  expect(seen).not.toContain("/2");
});

test("a redirect is given to the client and not followed", async () => {
  const seen: string[] = [];
  const port = await servers.http((request, response) => {
    seen.push(request.url ?? "");
    response.writeHead(302, { location: "http://169.254.169.254/" }).end();
  });
  const { ask } = testBroker();
  const answer = await ask([`a.test:${port}`], `GET http://a.test:${port}/ HTTP/1.1\r\nHost: a.test:${port}\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1.1 302 Found\r\nlocation: http:\/\/169.254.169.254\//);
  expect(seen).toEqual(["/"]);
});

test("a response that is cut short reaches the client cut short, not as a whole one", async () => {
  const port = await servers.tcp((socket) => {
    socket.once("data", () => {
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
      setTimeout(() => socket.resetAndDestroy(), 20);
    });
  });
  const { open } = testBroker();
  const client = open([`a.test:${port}`]);
  client.write(`GET http://a.test:${port}/ HTTP/1.1\r\nHost: a.test:${port}\r\n\r\n`);
  let text = "";
  client.on("data", (chunk) => (text += String(chunk)));
  await expect.poll(() => text).toContain("hello");
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(text).not.toContain("0\r\n\r\n");
});

test("a host that closes without an answer, or answers with no HTTP, is told as unreachable", async () => {
  for (const answer of [
    "",
    "SSH-2.0-x\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
  ]) {
    const port = await servers.tcp((socket) => socket.once("data", () => socket.end(answer)));
    const { ask } = testBroker();
    const got = await ask([`a.test:${port}`], `GET http://a.test:${port}/ HTTP/1.1\r\nHost: a.test:${port}\r\n\r\n`);
    expect(got).toMatch(/^HTTP\/1.1 502 .*x-handrail-refused: unreachable/s);
  }
});

test("an answer that comes before the body was read reaches the client", async () => {
  const port = await servers.tcp((socket) => {
    socket.once("data", () => socket.end("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"));
  });
  const { open } = testBroker();
  const client = open([`a.test:${port}`]);
  client.write(`PUT http://a.test:${port}/ HTTP/1.1\r\nHost: a.test:${port}\r\nContent-Length: 9000000\r\n\r\n`);
  client.write(new Uint8Array(100_000));
  const [head] = await once(client, "data");
  expect(String(head)).toMatch(/^HTTP\/1.1 413 Too Large/);
  client.destroy();
});

test("an upload to a server that answers at once gets that answer", async () => {
  const port = await servers.http((_request, response) => response.end("early"));
  const { open } = testBroker();
  const client = open([`a.test:${port}`]);
  client.write(`PUT http://a.test:${port}/ HTTP/1.1\r\nHost: a.test:${port}\r\nContent-Length: 3000000\r\n\r\n`);
  client.write(new Uint8Array(3_000_000));
  expect(bodyOf(await readAll(client))).toContain("early");
});

test("a large response keeps its bytes", async () => {
  const port = await servers.http((_request, response) => response.end("x".repeat(3_000_000)));
  const { ask, records } = testBroker();
  const answer = await ask([`a.test:${port}`], `GET http://a.test:${port}/ HTTP/1.1\r\nHost: a.test:${port}\r\n\r\n`);
  expect(bodyOf(answer).length).toBe(3_000_000);
  await expect.poll(() => records[0]?.bytesDown).toBeGreaterThan(3_000_000);
});

test("HEAD has no body", async () => {
  const port = await servers.http((_request, response) => response.end("body"));
  const client = testBroker().open([`a.test:${port}`]);
  client.write(`HEAD http://a.test:${port}/ HTTP/1.1\r\nHost: a.test:${port}\r\n\r\n`);
  expect(bodyOf(await readAll(client))).toBe("");
});

test("a client that ends what it sends behind its request still gets the answer, and one that ends within it a refusal", async () => {
  const port = await mirror();
  const { open, records } = testBroker();
  const said = async (text: string) => {
    const client = open([`a.test:${port}`]);
    client.end(text);
    return readAll(client);
  };
  const head = `POST http://a.test:${port}/x HTTP/1.1\r\nHost: a.test:${port}\r\nContent-Length: 5\r\n`;
  expect(await said(`${head}\r\nhello`)).toMatch(/^HTTP\/1\.1 200 [^]*hello$/);
  expect(await said(`${head}\r\nhel`)).not.toContain("200 OK");
  expect(await said(head)).toContain("x-handrail-refused: request_invalid");
  await expect.poll(() => records.length).toBe(3);
});
