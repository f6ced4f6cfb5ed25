import { once } from "node:events";
import { createServer, type IncomingMessage, request as httpRequest, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { AppError } from "@handrail/protocol/errors";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { type Pass, passes } from "./passes.ts";
import { type PreviewAddress, previewAddress } from "./preview-address.ts";
import { previewServer } from "./preview-server.ts";

const ID = "c_0123456789abcdefghjk";
const KEY = Buffer.alloc(32, 7);

/** Cookies of a program that would take the place of Handrail's. */
const OUR_NAMES = [
  "handrail_preview=stolen",
  "handrail_1234=stolen",
  "__Host-handrail_1234=stolen; Secure; Path=/",
  "=handrail_preview=stolen",
  " = handrail_preview=stolen",
  "=__Secure-handrail_1234=stolen",
];

let program: Server;
let server: Server;
let address: PreviewAddress;
let port: number;
let heard: IncomingMessage[];
let admitted: boolean;

const portOf = (of: Server) => (of.address() as AddressInfo).port;
const listening = (of: Server) => new Promise<void>((resolve) => of.listen(0, "127.0.0.1", resolve));
const book = passes(KEY, Date.now);
const pass = (more: Partial<Pass> = {}): Pass => ({
  kind: "visit",
  conversationId: ID,
  port: 8080,
  userId: "local",
  session: "",
  expiresAt: Date.now() + 60_000,
  ...more,
});

/** A request to the preview server under a preview's own name. */
async function ask(path: string, headers: Record<string, string> = {}, more: { host?: string; method?: string } = {}) {
  const host = more.host ?? new URL(address.originOf({ conversationId: ID, port: 8080 })).host;
  const options = { port, path, method: more.method ?? "GET", headers: { host, ...headers } };
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  httpRequest({ host: "127.0.0.1", ...options }, resolve)
    .on("error", reject)
    .end();
  const answer = await promise;
  const text = await answer.toArray().then((chunks) => Buffer.concat(chunks as Buffer[]).toString());
  return { status: answer.statusCode, headers: answer.headers, text };
}

const visitor = (more: Partial<Pass> = {}) => ({ cookie: `handrail_preview=${book.sign(pass(more))}` });

function start(base: (at: number) => string): Promise<void> {
  server = previewServer({
    address: () => address,
    passes: book,
    admits: async () => admitted,
    connect: async (place) => {
      if (place.port !== 8080) throw new AppError("port_closed", "Nothing in the sandbox listens on port 9.");
      return connect(portOf(program), "127.0.0.1");
    },
    cookieName: "handrail_preview",
    lookMs: 10,
    onFailure: (thrown) => expect.fail(String(thrown)),
  });
  return listening(server).then(() => {
    port = portOf(server);
    address = previewAddress(base(port));
  });
}

beforeEach(async () => {
  heard = [];
  admitted = true;
  program = createServer((request, response) => {
    heard.push(request);
    response.writeHead(200, {
      "content-type": "text/plain",
      "set-cookie": ["mine=1; Domain=localhost; Path=/", ...OUR_NAMES, "plain=2"],
      "strict-transport-security": "max-age=1",
      "service-worker-allowed": "/",
    });
    request.pipe(response);
  });
  await listening(program);
  await start((at) => `http://*.localhost:${at}`);
});

afterEach(() => {
  for (const one of [server, program]) {
    one.close();
    one.closeAllConnections();
  }
});

test("a link is traded for a cookie, and leads to the path that was asked for", async () => {
  const link = book.sign(pass({ kind: "link" }));
  const answer = await ask(`/__handrail/open/${link}/docs?a=1`);
  expect(answer.status).toBe(303);
  expect(answer.headers.location).toBe("/docs?a=1");
  const [cookie = ""] = answer.headers["set-cookie"] ?? [];
  expect(cookie).toMatch(/; Path=\/; HttpOnly; SameSite=Lax; Max-Age=43\d{3}$/);
  const visited = await ask("/", { cookie: cookie.split(";")[0] ?? "" });
  expect(visited.status).toBe(200);
});

test.each(["//evil.example", "/\\evil.example", "/", "?a=1", ""])("a link leads to no other site: %s", async (to) => {
  const answer = await ask(`/__handrail/open/${book.sign(pass({ kind: "link" }))}${to}`);
  expect([answer.status, answer.headers.location]).toEqual([303, "/"]);
});

test("the program gets the request as on its own port, without Handrail's cookies", async () => {
  const { origin } = new URL(address.originOf({ conversationId: ID, port: 8080 }));
  const { cookie } = visitor();
  await ask("/a%2fb?c=d", {
    cookie: `theirs=1; ${cookie}; handrail_1234=session; __Host-handrail_1234=session; last=2`,
    origin,
    referer: `${origin}/start`,
    "x-forwarded-for": "8.8.8.8",
    "x-own": "kept",
  });
  const [{ url, headers } = { url: "", headers: {} }] = heard;
  expect(url).toBe("/a%2fb?c=d");
  expect(headers).toEqual({
    host: "localhost:8080",
    cookie: "theirs=1; last=2",
    origin: "http://localhost:8080",
    referer: "http://localhost:8080/start",
    "x-forwarded-host": new URL(origin).host,
    "x-forwarded-proto": "http",
    "x-own": "kept",
    connection: "close",
  });
});

test("the program gets no cookie where the browser has only Handrail's", async () => {
  await ask("/", visitor());
  expect(heard[0]?.headers.cookie).toBeUndefined();
});

test("a share's visit is over with the share", async () => {
  const link = book.sign(pass({ kind: "link", shareId: "s1", expiresAt: Date.now() + 600_000 }));
  const answer = await ask(`/__handrail/open/${link}`);
  const [cookie = ""] = answer.headers["set-cookie"] ?? [];
  expect(cookie).toMatch(/; Max-Age=(?:600|5\d\d)$/);
  const [, visit = ""] = /^handrail_preview=([^;]+);/.exec(cookie) ?? [];
  expect(book.read(visit, "visit")).toEqual(book.read(link, "link") && { ...book.read(link, "link"), kind: "visit" });
});

test.each(["*", "http://other.example/"])("a request for %s, which is no path, is refused", async (path) => {
  expect((await ask(path, visitor(), { method: "OPTIONS" })).status).toBe(400);
  expect(heard).toEqual([]);
});

test("a conversation's previews have 64 connections at a time", async () => {
  for (let count = 0; count < 64; count += 1) await LASTING.stream();
  expect((await ask("/", visitor())).status).toBe(503);
});

test("the browser gets no cookie for other hosts, none of Handrail's name, and nothing that outlasts the preview", async () => {
  const answer = await ask("/", visitor());
  expect(answer.headers["set-cookie"]).toEqual(["mine=1; Path=/", "plain=2"]);
  expect(answer.headers["strict-transport-security"]).toBeUndefined();
  expect(answer.headers["x-robots-tag"]).toBe("noindex");
});

test.each<[string, () => Record<string, string>, { host?: string }]>([
  ["no cookie", () => ({}), {}],
  ["a cookie that is no pass", () => ({ cookie: "handrail_preview=abc.def" }), {}],
  ["a pass that somebody else signed", () => ({ cookie: `handrail_preview=${forged()}` }), {}],
  ["a link's pass in the cookie", () => visitor({ kind: "link" }), {}],
  ["a pass that is over", () => visitor({ expiresAt: Date.now() - 1 }), {}],
  ["a pass for another port", () => visitor({ port: 8081 }), {}],
  ["a pass for another conversation", () => visitor({ conversationId: "c_zzzzzzzzzzzzzzzzzzzz" }), {}],
  ["a host that is no preview's", () => visitor(), { host: "localhost" }],
])("without a pass that fits nothing is shown: %s", async (_name, headers, more) => {
  const answer = await ask("/", headers(), more);
  expect(answer.status).toBe(401);
  expect(answer.text).toContain("Open it again from its conversation");
  expect(heard).toEqual([]);
});

const forged = () => passes(Buffer.alloc(32, 8), Date.now).sign(pass());

test("a pass whose session or share has ended shows nothing any more", async () => {
  admitted = false;
  expect((await ask("/", visitor())).status).toBe(401);
  expect((await ask(`/__handrail/open/${book.sign(pass({ kind: "link" }))}/`)).status).toBe(401);
});

test("other sites can follow a link and do nothing else", async () => {
  const cross = { "sec-fetch-site": "cross-site" };
  expect((await ask("/", { ...visitor(), ...cross, "sec-fetch-mode": "navigate" })).status).toBe(200);
  expect((await ask("/", { ...visitor(), ...cross, "sec-fetch-mode": "no-cors" })).status).toBe(403);
  const post = { ...visitor(), ...cross, "sec-fetch-mode": "navigate" };
  expect((await ask("/", post, { method: "POST" })).status).toBe(403);
  expect((await ask("/", { ...visitor(), "sec-fetch-site": "same-origin" })).status).toBe(200);
});

test("where the browser tells no site, another origin is told by its name", async () => {
  const { origin } = new URL(address.originOf({ conversationId: ID, port: 8080 }));
  const statuses: (number | undefined)[] = [];
  for (const from of ["http://evil.example", `${origin}1`, origin, "null"]) {
    statuses.push((await ask("/", { ...visitor(), origin: from }, { method: "POST" })).status);
  }
  expect(statuses).toEqual([403, 403, 200, 200]);
});

/** A connection that stays open, and whether it has ended by itself. */
const LASTING = {
  async socket() {
    const { host } = new URL(address.originOf({ conversationId: ID, port: 8080 }));
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers: { host, ...visitor() } });
    socket.on("error", () => undefined);
    await once(socket, "open");
    return { ended: once(socket, "close").then(([code]) => code as number) };
  },
  async stream() {
    const { host } = new URL(address.originOf({ conversationId: ID, port: 8080 }));
    const asking = httpRequest({ host: "127.0.0.1", port, method: "POST", headers: { host, ...visitor() } });
    asking.on("error", () => undefined).write("first");
    const [answer] = (await once(asking, "response")) as [IncomingMessage];
    answer.on("error", () => undefined).resume();
    const closed = Promise.withResolvers<void>();
    answer.once("close", closed.resolve);
    return { ended: closed.promise.then(() => (answer.complete ? 1000 : 1006)) };
  },
};

test.each(["socket", "stream"] as const)("a %s is open no longer than its share or session", async (kind) => {
  const sockets = new WebSocketServer({ server: program });
  const lasting = await LASTING[kind]();
  expect((await ask("/", visitor())).status).toBe(200);
  admitted = false;
  expect(await lasting.ended).toBe(1006);
  sockets.close();
});

test("a port that nobody listens on is said in words, not as HTML of theirs", async () => {
  const place = { conversationId: ID, port: 9 };
  const answer = await ask("/", visitor({ port: 9 }), { host: new URL(address.originOf(place)).host });
  expect(answer.status).toBe(502);
  expect(answer.text).toContain("Nothing in the sandbox listens on port 9.");
});

test("WebSockets go through, from the preview's own page only", async () => {
  const sockets = new WebSocketServer({ server: program });
  sockets.on("connection", (socket) => socket.on("message", (data: Buffer) => socket.send(data.toString())));
  const { host, origin } = new URL(address.originOf({ conversationId: ID, port: 8080 }));
  const open = (from: string) =>
    new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers: { host, origin: from, ...visitor() } });

  const echoed = Promise.withResolvers<string>();
  const own = open(origin);
  own.on("open", () => own.send("hello"));
  own.on("message", (data: Buffer) => echoed.resolve(data.toString()));
  own.on("error", echoed.reject);
  expect(await echoed.promise).toBe("hello");
  own.terminate();

  for (const foreign of ["http://evil.example", "null"]) {
    const refused = Promise.withResolvers<string>();
    open(foreign).on("error", (error) => refused.resolve(error.message));
    expect(await refused.promise).toBe("Unexpected server response: 403");
  }
  sockets.close();
});

test("where previews share an origin, the pass alone says which it is, and service workers are refused", async () => {
  server.close();
  await start((at) => `http://127.0.0.1:${at}`);
  const host = `127.0.0.1:${port}`;
  const shown = await ask("/", visitor(), { host });
  expect([shown.status, shown.headers["service-worker-allowed"]]).toEqual([200, undefined]);
  expect((await ask("/sw.js", { ...visitor(), "service-worker": "script" }, { host })).status).toBe(403);
  expect((await ask("/", visitor(), { host: "rebound.example" })).status).toBe(401);
  const entered = await ask(`/__handrail/open/${book.sign(pass({ kind: "link" }))}/`, {}, { host });
  expect(entered.headers["clear-site-data"]).toBe('"cache", "storage"');
});
