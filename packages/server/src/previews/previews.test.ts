import { createServer, request, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import type { Delta } from "@handrail/protocol/deltas";
import { afterEach, beforeEach, expect, test } from "vitest";
import { serverFixture, type ServerFixture } from "../testing/server-fixture.ts";

let server: ServerFixture;
let program: Server;
let ports: number[];
let waiting: (() => void) | undefined;

/** Answers at once where something is new, as sandboxd does; else once `open` was called. */
async function wait(args: Record<string, unknown>) {
  const known = args["known"] as number[];
  if (args["timeoutMs"] !== 0 && same(known)) await new Promise<void>((resolve) => (waiting = resolve));
  return { ports: ports.map((port) => ({ port })) };
}

const same = (known: number[]) => known.length === ports.length && known.every((port) => ports.includes(port));

function open(...now: number[]): void {
  ports = now;
  waiting?.();
}

beforeEach(async () => {
  ports = [];
  program = createServer((_request, response) => response.end("from inside"));
  await new Promise<void>((resolve) => program.listen(0, "127.0.0.1", resolve));
  server = await serverFixture({
    sandbox: { "port.wait": wait, connect: async () => connect((program.address() as AddressInfo).port, "127.0.0.1") },
  });
  await server.previews.listen();
});

afterEach(async () => {
  open(1);
  await server.close();
  program.close();
});

const api = async (method: "GET" | "POST" | "DELETE", path: string, body?: object) => {
  const answer = await server.app.inject({ method, url: path, headers: server.bearer, ...(body && { body }) });
  return { status: answer.statusCode, body: answer.json() };
};

/** A conversation whose sandbox runs. */
async function conversation(): Promise<string> {
  const { body } = await api("POST", "/api/conversations", { source: { type: "empty" }, model: "demo" });
  const { id } = body as { id: string };
  await api("GET", `/api/conversations/${id}/files`);
  return id;
}

/** What a browser sees that follows a link: the status, and the text once it has its cookie. */
async function visit(link: string) {
  const url = new URL(link);
  const at = `http://127.0.0.1:${url.port}`;
  const { host } = url;
  const entered = await fetchFrom(at + url.pathname + url.search, { host });
  const cookie = entered.cookie;
  return { entered: entered.status, again: () => fetchFrom(`${at}/`, { host, ...(cookie && { cookie }) }) };
}

/** `fetch` may not choose its `Host`. */
async function fetchFrom(url: string, headers: Record<string, string>) {
  return new Promise<{ status: number | undefined; text: string; cookie: string | undefined }>((resolve, reject) => {
    const asked = request(url, { headers }, (answer) => {
      const cookie = answer.headers["set-cookie"]?.[0]?.split(";")[0];
      text(answer).then((body) => resolve({ status: answer.statusCode, text: body, cookie }), reject);
    });
    asked.on("error", reject).end();
  });
}

test("ports that open and close are told to who watches, and to who asks", async () => {
  const id = await conversation();
  const told: number[][] = [];
  const next = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    heard = resolve;
    return promise;
  };
  let heard = () => {};
  server.host.deltas.watch(id, (delta: Delta) => {
    if (delta.type !== "ports.delta") return;
    told.push(delta.ports.map(({ port }) => port));
    heard();
  });
  const first = next();
  open(8080, 9090);
  await first;
  expect(server.host.deltas.standing(id)).toEqual([{ type: "ports.delta", ports: [{ port: 8080 }, { port: 9090 }] }]);
  const second = next();
  open();
  await second;
  expect(told).toEqual([[8080, 9090], []]);
  open(7000);
  expect((await api("GET", `/api/conversations/${id}/ports`)).body).toEqual({
    ports: [{ port: 7000 }],
    previews: true,
  });
});

test("a preview shows the port to who asked for it, and ends with the conversation", async () => {
  const id = await conversation();
  const { status, body } = await api("POST", `/api/conversations/${id}/previews`, { port: 8080 });
  expect([status, body.url]).toEqual([201, expect.stringMatching(/^http:\/\/8080-[0-9a-z]{20}\.localhost:\d+\//)]);
  const page = await visit(body.url);
  expect(page.entered).toBe(303);
  expect(await page.again()).toMatchObject({ status: 200, text: "from inside" });
  await api("DELETE", `/api/conversations/${id}`);
  expect((await page.again()).status).toBe(401);
});

test("a link is a signed path that leads to a path of the preview's own, and to nothing else", async () => {
  const id = await conversation();
  const link = (path: string) => api("POST", `/api/conversations/${id}/previews`, { port: 8080, path });
  const { pathname, search } = new URL((await link("/docs/?a=1")).body.url);
  expect(pathname + search).toMatch(/^\/__handrail\/open\/[\w-]+\.[\w-]+\/docs\/\?a=1$/);
  for (const path of ["docs", "//evil.example", "/\\evil.example", "/a b", "/ä", "/a\r\nb"]) {
    const { status, body } = await link(path);
    expect([path, status, body.code]).toEqual([path, 400, "bad_request"]);
  }
});

test("a share is for whoever has its link, until it is ended", async () => {
  const id = await conversation();
  const { body: share } = await api("POST", `/api/conversations/${id}/shares`, { port: 8080, hours: 2 });
  expect((await api("GET", `/api/conversations/${id}/shares`)).body).toEqual({ shares: [share] });
  const page = await visit(share.url);
  expect((await page.again()).text).toBe("from inside");
  expect((await api("DELETE", `/api/conversations/${id}/shares/${share.shareId}`)).status).toBe(200);
  expect((await page.again()).status).toBe(401);
  expect((await visit(share.url)).entered).toBe(401);
  expect((await api("GET", `/api/conversations/${id}/shares`)).body).toEqual({ shares: [] });
});

test("what Handrail itself serves in a sandbox is neither shown nor shared", async () => {
  const id = await conversation();
  for (const way of ["previews", "shares"]) {
    const { status, body } = await api("POST", `/api/conversations/${id}/${way}`, { port: 3128 });
    expect([status, body.code]).toEqual([400, "bad_request"]);
  }
  expect((await api("GET", `/api/conversations/${id}/shares`)).body).toEqual({ shares: [] });
});

test("a share lasts for 8 hours when nobody says how long, and never longer than 7 days", async () => {
  const id = await conversation();
  const before = Date.now();
  const { body: share } = await api("POST", `/api/conversations/${id}/shares`, { port: 8080 });
  expect(Math.round((share.expiresAt - before) / 3_600_000)).toBe(8);
  const statuses = [168, 169].map((hours) => api("POST", `/api/conversations/${id}/shares`, { port: 8080, hours }));
  expect((await Promise.all(statuses)).map(({ status }) => status)).toEqual([201, 400]);
});

test("a preview of a sandbox that does not run says so, and starts none", async () => {
  const id = await conversation();
  const { body } = await api("POST", `/api/conversations/${id}/previews`, { port: 8080 });
  const page = await visit(body.url);
  await server.host.sandboxes.stop(await server.host.journals.get(id), "user");
  const shown = await page.again();
  expect([shown.status, server.host.sandboxes.current(id)]).toEqual([502, undefined]);
  expect(shown.text).toContain("does not run");
});
