import { afterEach, beforeEach, expect, test } from "vitest";
import { type ServerFixture, serverFixture } from "../testing/server-fixture.ts";

let server: ServerFixture;
beforeEach(async () => {
  server = await serverFixture();
});
afterEach(() => server.close());

test("the eleventh attempt to sign in within a minute is refused, even with a good token", async () => {
  const attempt = (token: string) =>
    server.app.inject({ method: "POST", url: "/api/session", headers: { host: "localhost" }, payload: { token } });
  const codes: number[] = [];
  for (let tries = 0; tries < 10; tries += 1) codes.push((await attempt("wrong")).statusCode);
  const late = await attempt(server.tokens.mint(1000).token);
  expect([new Set(codes), late.statusCode, late.json().code]).toEqual([new Set([401]), 429, "too_many_attempts"]);
});

test("a request without its optional body reaches the handler, with and without a content type", async () => {
  const payload = { source: { type: "empty" }, model: "demo" };
  const made = await server.app.inject({
    method: "POST",
    url: "/api/conversations",
    headers: server.bearer,
    payload,
  });
  const url = `/api/conversations/${made.json().id}/continue`;
  const json = { "content-type": "application/json" };
  const send = (headers: Record<string, string>) =>
    server.app.inject({ method: "POST", url, headers: { ...server.bearer, ...headers } });
  const answers = [
    await send({}),
    await send({ "content-length": "0" }),
    await send({ ...json, "content-length": "0" }),
  ];
  const reached = [409, "run_inactive"];
  expect(answers.map((answer) => [answer.statusCode, answer.json().code])).toEqual([reached, reached, reached]);
});
