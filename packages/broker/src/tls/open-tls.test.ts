import { once } from "node:events";
import { Agent, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { connect } from "node:tls";
import { expect, test } from "vitest";
import type { HeldSecret } from "../secrets/held-secret.ts";
import { ask, closedAfterEach, testHttps, testOpened } from "../testing/tls-fixture.ts";

const closing = closedAfterEach();

const HOST = "api.example";
const VALUE = "s3cr3t-value-0123456789";

const bearer: HeldSecret = {
  name: "API",
  value: VALUE,
  placeholder: "handrail-secret-API-1f2e3d",
  use: { type: "header", hosts: [{ host: HOST, path: "/v1/**" }] },
};

type Listener = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

async function opened(listener: Listener, secrets: readonly HeldSecret[] = [bearer]) {
  const upstream = await testHttps(HOST, listener);
  closing.push(
    () => upstream.server.closeAllConnections(),
    () => upstream.server.close(),
  );
  const open = testOpened(HOST, upstream, secrets);
  closing.push(() => open.raw.destroy());
  return open;
}

/** For several requests, one after the other, on the one connection. */
function agentOver(socket: Duplex): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agent.createConnection = () => socket;
  return agent;
}

const echo = async (request: IncomingMessage, response: ServerResponse) => {
  const body = await buffer(request);
  response.end(
    JSON.stringify({ method: request.method, url: request.url, headers: request.headers, bytes: body.length }),
  );
};

test("a secret is put into requests that its rule names, and into no others", async () => {
  const seen: (string | undefined)[] = [];
  const { secure, records, over } = await opened((request, response) => {
    seen.push(request.headers.authorization);
    response.end("ok");
  });
  const socket = secure();
  const agent = agentOver(socket);
  const host = { host: HOST };
  const own = { authorization: "Bearer own" };
  await ask(socket, { agent, path: "/v1/models", headers: { ...host, ...own } });
  await ask(socket, { agent, path: "/v2/models", headers: { ...host, ...own } });
  expect(seen).toEqual([`Bearer ${VALUE}`, "Bearer own"]);
  socket.end();
  await over;
  expect(records).toMatchObject([
    { method: "GET", path: "/v1/models", rule: "host test", reason: undefined, secrets: ["API"] },
    { method: "GET", path: "/v2/models", rule: "host test", reason: undefined, secrets: [] },
  ]);
  expect(records.every(({ bytesUp, bytesDown }) => bytesUp > 0 && bytesDown > 0)).toBe(true);
});

test("a placeholder is replaced in any header, within HTTP Basic too, of requests that the rule names", async () => {
  const basic = Buffer.from(`u:${bearer.placeholder}`).toString("base64");
  const seen: IncomingMessage["headers"][] = [];
  const { secure } = await opened(
    (request, response) => {
      seen.push(request.headers);
      response.end();
    },
    [{ ...bearer, use: { type: "header", hosts: [{ host: HOST, path: "/v1/**" }], keep: true } }],
  );
  const headers = { host: HOST, authorization: `Basic ${basic}`, "x-token": `t=${bearer.placeholder};` };
  const socket = secure();
  const agent = agentOver(socket);
  await ask(socket, { agent, path: "/v1/x", headers });
  await ask(socket, { agent, path: "/other", headers });
  const filled = Buffer.from(`u:${VALUE}`).toString("base64");
  expect(seen.map(({ authorization, "x-token": token }) => [authorization, token])).toEqual([
    [`Basic ${filled}`, `t=${VALUE};`],
    [`Basic ${basic}`, `t=${bearer.placeholder};`],
  ]);
});

test("an answer that repeats the secret has it masked, in headers and in the body, of the same length", async () => {
  const { secure } = await opened((request, response) => {
    response.writeHead(302, `Found ${VALUE}`, {
      location: `https://x.example/?t=${VALUE}`,
      "set-cookie": [`a=${VALUE}`],
    });
    const told = JSON.stringify(request.headers);
    response.write(told.slice(0, told.indexOf(VALUE) + 5));
    setImmediate(() => response.end(told.slice(told.indexOf(VALUE) + 5)));
  });
  const answer = await ask(secure(), { path: "/v1/echo", headers: { host: HOST, "accept-encoding": "gzip" } });
  expect(answer.reason).toBe("Found [secret API]");
  expect(answer.headers).toMatchObject({
    location: "https://x.example/?t=[secret API]",
    "set-cookie": ["a=[secret API]"],
  });
  expect(JSON.parse(answer.body.toString())).toMatchObject({
    authorization: `Bearer [secret API]${"*".repeat(VALUE.length - 12)}`,
    "accept-encoding": "identity",
  });
});

test("a host that shows a secret in answer to a request without it has it masked, in a part of a file too", async () => {
  const seen: IncomingMessage["headers"][] = [];
  const { secure, records, over } = await opened((request, response) => {
    seen.push(request.headers);
    const body = `page: ${VALUE}.`;
    const range = { "content-range": `bytes 0-${body.length - 1}/900`, "content-length": body.length };
    response.writeHead(206, { ...range, "x-told": VALUE }).end(body);
  });
  const socket = secure();
  const headers = { host: HOST, range: "bytes=0-29", "accept-encoding": "gzip" };
  const answer = await ask(socket, { path: "/v2/page", headers });
  expect([answer.status, answer.body.toString(), answer.headers["x-told"]]).toEqual([
    206,
    `page: [secret API]${"*".repeat(VALUE.length - 12)}.`,
    "[secret API]",
  ]);
  expect(answer.headers).toMatchObject({ "content-length": "30", "content-range": "bytes 0-29/900" });
  expect(seen).toMatchObject([{ range: "bytes=0-29", "accept-encoding": "identity" }]);
  expect(seen[0]?.authorization).toBeUndefined();
  socket.end();
  await over;
  expect(records).toMatchObject([{ path: "/v2/page", secrets: [], reason: undefined }]);
});

test("large bodies pass both ways whole", async () => {
  const { secure } = await opened(async (request, response) => {
    response.end(await buffer(request));
  });
  const body = Buffer.alloc(2 * 1024 * 1024, "0123456789abcdef");
  const answer = await ask(secure(), { path: "/v1/files", method: "POST", headers: { host: HOST } }, body);
  expect(answer.body.equals(body)).toBe(true);
});

test("a client that asks first whether to send its body is told by the host", async () => {
  const { secure } = await opened(echo);
  const headers = { host: HOST, expect: "100-continue", "content-length": "4" };
  const answer = await ask(secure(), { path: "/v1/up", method: "PUT", headers }, "body");
  expect(JSON.parse(answer.body.toString())).toMatchObject({ method: "PUT", bytes: 4 });
});

test.each(["other.example", `${HOST}:8443`, `other.example, ${HOST}`, `x@${HOST}`])(
  "a request for another host than the connection's is refused: %s",
  async (host) => {
    const { secure, records } = await opened(echo);
    const answer = await ask(secure(), { path: "/v1/x", headers: { host } });
    expect([answer.status, answer.headers["x-handrail-refused"]]).toEqual([400, "host_mismatch"]);
    expect(records).toMatchObject([{ reason: "host_mismatch", secrets: [], bytesUp: 0 }]);
  },
);

test("a request without a host is refused", async () => {
  const { secure, records } = await opened(echo);
  const socket = secure();
  socket.write("GET /v1/x HTTP/1.0\r\n\r\n");
  expect(await text(socket)).toContain("x-handrail-refused: host_mismatch");
  expect(records).toMatchObject([{ reason: "host_mismatch", secrets: [] }]);
});

test("a handshake for another name fails, whatever the program believes", async () => {
  const { raw } = await opened(echo);
  const socket = connect({ socket: raw, servername: "other.example", rejectUnauthorized: false });
  const outcome = await Promise.race([once(socket, "error"), once(socket, "secureConnect"), once(socket, "close")]);
  expect([socket.authorized, outcome[0]]).toEqual([false, expect.any(Error)]);
});

test("a request that no rule allows does not reach the host", async () => {
  const seen: string[] = [];
  const upstream = await testHttps(HOST, (request, response) => {
    seen.push(request.url ?? "");
    response.end();
  });
  closing.push(() => upstream.server.close());
  const open = testOpened(HOST, upstream, [], async ({ path }) =>
    path === "/yes" ? { rule: "request" } : { code: "host_not_allowed", message: "No." },
  );
  const answer = await ask(open.secure(), { path: "/no", headers: { host: HOST } });
  expect([answer.status, answer.body.toString()]).toEqual([403, "Handrail: No.\n"]);
  expect(seen).toEqual([]);
});

test("a host whose certificate is not good is not spoken to, and the client is told why", async () => {
  const upstream = await testHttps("wrong.example", echo);
  closing.push(() => upstream.server.close());
  const wrongName = testOpened(HOST, upstream, [bearer]);
  const told = await ask(wrongName.secure(), { path: "/v1/x", headers: { host: HOST } });
  expect([told.status, told.body.toString()]).toEqual([
    502,
    `Handrail: The certificate of ${HOST} cannot be trusted: it is for another name.\n`,
  ]);
  const unknown = testOpened("wrong.example", { ...upstream, roots: [] }, [bearer]);
  const second = await ask(unknown.secure(), { path: "/", headers: { host: "wrong.example" } });
  expect(second.body.toString()).toContain("NODE_EXTRA_CA_CERTS");
});

test.each([
  ["two lengths", "content-length: 5\r\ncontent-length: 6\r\n"],
  ["a length and chunks", "content-length: 5\r\ntransfer-encoding: chunked\r\n"],
  ["chunks in disguise", "transfer-encoding: xchunked\r\n"],
  ["a name before the colon with a space", "content-length : 5\r\n"],
])("a request that could be read in two ways reaches nobody: %s", async (_what, headers) => {
  const seen: string[] = [];
  const { secure } = await opened((request, response) => {
    seen.push(request.url ?? "");
    response.end();
  });
  const socket = secure();
  socket.write(`POST /v1/a HTTP/1.1\r\nhost: ${HOST}\r\n${headers}\r\nGET /v1/b HTTP/1.1\r\nhost: ${HOST}\r\n\r\n`);
  await text(socket).catch(() => "");
  expect(seen).toEqual([]);
});

/** A server that agrees to every WebSocket and says what it was asked with; a client's connection to it. */
async function upgraded(secrets: readonly HeldSecret[] = [bearer]) {
  const upstream = await testHttps(HOST, (request, response) => {
    response.writeHead(200, "OK", { "x-told": request.headers.authorization }).end(JSON.stringify(request.headers));
  });
  closing.push(() => upstream.server.close());
  upstream.server.on("upgrade", (request, socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n");
    socket.write(`${request.headers.authorization} ${request.headers["sec-websocket-extensions"]};`);
    socket.pipe(socket);
  });
  const open = testOpened(HOST, upstream, secrets);
  closing.push(() => open.raw.destroy());
  const socket = open.secure();
  const send = (path: string, protocol: string) =>
    socket.write(
      `GET ${path} HTTP/1.1\r\nhost: ${HOST}\r\nconnection: Upgrade\r\nupgrade: ${protocol}\r\n` +
        "sec-websocket-extensions: permessage-deflate\r\n\r\n",
    );
  let told = "";
  socket.on("data", (bytes: Buffer) => (told += bytes.toString()));
  const until = async (text: string) => {
    while (!told.includes(text)) await once(socket, "data");
    return told;
  };
  return { socket, send, until };
}

test("a WebSocket's bytes pass, its request has the secret, and what repeats it is masked", async () => {
  const { socket, send, until } = await upgraded();
  send("/v1/ws", "websocket");
  await until(";");
  socket.write("ping");
  expect(await until("ping")).toMatch(/^HTTP\/1\.1 101 [^]*\r\n\r\nBearer \[secret API\]\*+ undefined;ping$/);
});

test("a WebSocket to a secret's host that it is not put into can be looked into too", async () => {
  const { socket, send, until } = await upgraded();
  send("/v2/ws", "websocket");
  await until(";");
  socket.write(`it is ${VALUE}!`);
  expect(await until("!")).toMatch(/\r\n\r\nundefined undefined;it is \[secret API\]\*+!$/);
});

test("a WebSocket to a host that no secret is for keeps its extensions", async () => {
  const { send, until } = await upgraded([]);
  send("/v2/ws", "websocket");
  expect(await until(";")).toContain("undefined permessage-deflate;");
});

test("no other protocol is changed to, and the answer to that is masked like any other", async () => {
  const { send, until } = await upgraded();
  send("/v1/echo", "h2c");
  const told = await until("}");
  expect(told).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*x-told: Bearer \[secret API\]\r\n/);
  expect(told).not.toContain(VALUE);
  expect(told).not.toContain("h2c");
});

test("a host that does not agree to a WebSocket has its answer masked like any other", async () => {
  const upstream = await testHttps(HOST, (request, response) => {
    response.writeHead(426, `No ${VALUE}`, { "x-told": request.headers.authorization });
    response.end(`so ${request.headers.authorization}.`);
  });
  closing.push(() => upstream.server.close());
  const open = testOpened(HOST, upstream, [bearer]);
  closing.push(() => open.raw.destroy());
  const socket = open.secure();
  socket.write(`GET /v1/ws HTTP/1.1\r\nhost: ${HOST}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n`);
  const told = await text(socket);
  expect(told).toMatch(/^HTTP\/1\.1 426 No \[secret API\]\r\n[^]*x-told: Bearer \[secret API\]\r\n/);
  expect(told.endsWith(`so Bearer [secret API]${"*".repeat(VALUE.length - 12)}.`)).toBe(true);
});
