import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROUTES } from "@handrail/protocol/routes";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ServerFixture, serverFixture } from "../testing/server-fixture.ts";

let server: ServerFixture;
beforeEach(async () => {
  server = await serverFixture({ argv: ["--web-directory", `/tmp/handrail-web-${process.pid}`] });
});
afterEach(() => server.close());

const host = "localhost";
const NOBODY = "c_00000000000000000000";

test("every route but the public ones refuses a request without a session", async () => {
  const open: string[] = [];
  for (const [name, route] of Object.entries(ROUTES)) {
    const url = route.path.replace(":id", NOBODY).replace(":ref", "x");
    const answer = await server.app.inject({ method: route.method, url, headers: { host } });
    if (answer.statusCode !== 401) open.push(`${name} ${answer.statusCode}`);
  }
  expect(open).toEqual(["signIn 400", "healthz 200", "readyz 200"]);
});

test("a one-time token gives a session that lasts, once", async () => {
  const { token } = server.tokens.mint(1000);
  const signIn = () =>
    server.app.inject({ method: "POST", url: "/api/session", headers: { host }, payload: { token } });
  const first = await signIn();
  const cookie = String(first.headers["set-cookie"]);
  expect(cookie).toMatch(/^handrail_test=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=2592000$/);
  const [session] = cookie.split(";");
  const who = await server.app.inject({ url: "/api/session", headers: { host, cookie: session } });
  expect(who.json()).toMatchObject({ userId: "local" });
  const second = await signIn();
  expect([second.statusCode, second.json().code]).toEqual([401, "token_used"]);
});

test("a cookie alone changes nothing: the request must come from the page's own origin", async () => {
  const secret = await server.state.sessions.start("local");
  const send = (origin: string | undefined) =>
    server.app.inject({
      method: "DELETE",
      url: "/api/settings/model",
      headers: { host: "localhost:3000", cookie: `handrail_test=${secret}`, ...(origin && { origin }) },
    });
  const origins = [undefined, "null", "https://evil.example", "http://localhost:3001", "http://localhost:3000"];
  const codes = await Promise.all(origins.map(async (origin) => (await send(origin)).statusCode));
  expect(codes).toEqual([403, 403, 403, 403, 200]);
});

test("a name that is not this server's is refused on every path, so DNS rebinding reaches nothing", async () => {
  const hosts = ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "192.168.1.4", "127.0.0.1:3000"];
  const codes = await Promise.all(
    hosts.map(async (name) => (await server.app.inject({ url: "/healthz", headers: { host: name } })).statusCode),
  );
  expect(codes).toEqual([403, 403, 403, 403, 200]);
});

test("bearer tokens that are not ours are refused, and say why", async () => {
  const headers = { host, authorization: "Bearer wrong" };
  const answer = await server.app.inject({ url: "/api/session", headers });
  expect([answer.statusCode, answer.json().code]).toEqual([401, "not_signed_in"]);
});

test("failures are problem details with a code, whatever went wrong", async () => {
  const headers = server.bearer;
  const json = { ...headers, "content-type": "application/json" };
  const requests = [
    { url: "/api/nothing", headers },
    { url: "/api/conversations", method: "PUT", headers },
    { url: "/api/conversations", method: "POST", headers: json, payload: "{" },
    { url: "/api/conversations", method: "POST", headers: json, payload: `{"source":{"type":"empty"},"extra":1}` },
    { url: "/api/conversations", method: "POST", headers: { ...headers, "content-type": "text/xml" }, payload: "<a/>" },
    { url: "/api/conversations", method: "POST", headers: json, payload: `"${"a".repeat(2_100_000)}"` },
    { url: `/api/conversations/${NOBODY}`, headers },
    { url: "/api/conversations/..%2f..%2fetc%2fpasswd", headers },
    { url: "/api/conversations?limit=999", headers },
    { url: "/%zz", headers },
  ] as const;
  const answers = await Promise.all(requests.map((request) => server.app.inject(request)));
  expect(answers.map((answer) => [answer.statusCode, answer.json().code])).toEqual([
    [404, "not_found"],
    [405, "method_not_allowed"],
    [400, "bad_request"],
    [400, "bad_request"],
    [415, "unsupported_media_type"],
    [413, "body_too_large"],
    [404, "conversation_not_found"],
    [404, "conversation_not_found"],
    [400, "bad_request"],
    [400, "bad_request"],
  ]);
  expect(new Set(answers.map((answer) => answer.headers["content-type"]))).toEqual(
    new Set(["application/problem+json"]),
  );
});

test("every answer carries the security headers, failures too", async () => {
  const answers = await Promise.all(
    ["/healthz", "/api/nothing", "/", "/%zz"].map((url) => server.app.inject({ url, headers: { host } })),
  );
  for (const { headers } of answers) {
    expect(headers).toMatchObject({ "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" });
    expect(headers["content-security-policy"]).toContain("script-src 'self';");
    expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'");
  }
});

test("the page's files are served from their folder and from nowhere else", async () => {
  const { webDirectory } = server.config;
  const missing = await server.app.inject({ url: "/", headers: { host } });
  expect([missing.statusCode, missing.body.includes("not built")]).toEqual([503, true]);
  mkdirSync(join(webDirectory, "assets"), { recursive: true });
  writeFileSync(join(webDirectory, "index.html"), "<p>page</p>");
  writeFileSync(join(webDirectory, "assets/app-1234.js"), "1");
  writeFileSync(join(webDirectory, "secret"), "secret");
  const urls = [
    `/conversations/${NOBODY}`,
    "/assets/app-1234.js",
    "/assets/../secret",
    "/assets/..%2fsecret",
    "/secret",
  ];
  const answers = await Promise.all(urls.map((url) => server.app.inject({ url, headers: { host } })));
  expect(answers.map((answer) => answer.statusCode)).toEqual([200, 200, 404, 400, 404]);
  expect(answers.map((answer) => answer.body.includes("secret\n") || answer.body === "secret")).not.toContain(true);
  expect(answers[1]!.headers["cache-control"]).toContain("immutable");
});

test("metrics need a session", async () => {
  const refused = await server.app.inject({ url: "/metrics", headers: { host } });
  const given = await server.app.inject({ url: "/metrics", headers: server.bearer });
  expect([refused.statusCode, given.statusCode]).toEqual([404, 200]);
  expect(given.body).toContain("handrail_http_request_seconds_count");
});

test("a server that stops is not ready, and says why", async () => {
  const ready = () => server.app.inject({ url: "/readyz", headers: { host } });
  expect((await ready()).json()).toEqual({ status: "ok" });
  server.live.stopping = true;
  const stopping = await ready();
  expect([stopping.statusCode, stopping.json()]).toEqual([503, expect.objectContaining({ code: "server_stopping" })]);
});

test("the OpenAPI document is the one that is committed", async () => {
  const answer = await server.app.inject({ url: "/api/openapi.json", headers: { host } });
  await expect(`${JSON.stringify(answer.json(), null, 2)}\n`).toMatchFileSnapshot("__snapshots__/openapi.json.snap");
});

test("a person who comes to an address where nothing is gets the page, and a program a problem", async () => {
  mkdirSync(`/tmp/handrail-web-${process.pid}`, { recursive: true });
  writeFileSync(`/tmp/handrail-web-${process.pid}/index.html`, "<!doctype html>the page");
  const ask = async (url: string, accept: string) => {
    const { statusCode, headers } = await server.app.inject({ url, headers: { host, accept } });
    return [statusCode, headers["content-type"]];
  };
  const person = "text/html,application/xhtml+xml,*/*;q=0.8";
  expect(await ask("/conversation/c_1", person)).toEqual([404, "text/html; charset=utf-8"]);
  expect(await ask("/conversation/c_1", "*/*")).toEqual([404, "application/problem+json"]);
  expect(await ask("/api/nothing", person)).toEqual([404, "application/problem+json"]);
  expect(await ask("/assets/nothing.js", person)).toEqual([404, "application/problem+json"]);
});
