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

test("a rule that names no host, and so would allow nothing, is refused wherever it is given", async () => {
  const sandbox = { network: { type: "allow", presets: [], hosts: ["*.example.org"] } };
  const requests = [{ host: "https://example.org" }];
  const scope = { type: "owner" };
  const value = "a long value";
  const send = (method: "POST" | "PUT" | "PATCH", url: string, payload: object) =>
    server.app.inject({ method, url, headers: server.bearer, payload });
  const made = await send("POST", "/api/conversations", { source: { type: "empty" }, model: "demo" });
  const answers = [
    await send("POST", "/api/conversations", { source: { type: "empty" }, model: "demo", sandbox }),
    await send("PATCH", `/api/conversations/${made.json().id}`, sandbox),
    await send("POST", "/api/network-rules", { scope: "owner", requests }),
    await send("PUT", "/api/secrets/A", { scope, use: { type: "header", hosts: requests }, value }),
    await send("PUT", "/api/secrets/A", {
      scope,
      use: { type: "git", host: "a b", repositories: [], push: [] },
      value,
    }),
  ];
  expect(answers.map((answer) => [answer.statusCode, answer.json().detail])).toEqual([
    [400, '"*.example.org" is not a host. Write .example.org for every host below it.'],
    [400, '"*.example.org" is not a host. Write .example.org for every host below it.'],
    [400, '"https://example.org" is not a host. Give its name alone, such as api.example.org.'],
    [400, '"https://example.org" is not a host. Give its name alone, such as api.example.org.'],
    [400, '"a b" is not a host. Give a name such as api.example.org, or .example.org for every host below it.'],
  ]);
});

test("what is for a text that names no repository, and so would be for no conversation, is refused", async () => {
  const send = (method: "POST" | "PUT", url: string, payload: object) =>
    server.app.inject({ method, url, headers: server.bearer, payload });
  const scope = { type: "repository", url: "me/app" };
  const answers = [
    await send("POST", "/api/network-rules", { scope: "repository", repository: "me/app", hosts: ["a.test"] }),
    await send("PUT", "/api/secrets/A", { scope, use: { type: "file" }, value: "a long value" }),
  ];
  const detail = "Name the repository as conversations do: by its git URL, or by an absolute folder.";
  expect(answers.map((answer) => [answer.statusCode, answer.json().detail, answer.json().details])).toEqual([
    [400, detail, { field: "repository" }],
    [400, detail, { field: "scope.url" }],
  ]);
});
