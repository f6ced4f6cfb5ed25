import { once } from "node:events";
import { connect } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import type { HeldSecret } from "./secrets/held-secret.ts";
import { putSecrets } from "./secrets/put-secrets.ts";
import { testBroker, testServers } from "./testing/broker-fixture.ts";
import { ask, testHttps } from "./testing/tls-fixture.ts";
import { sandboxAuthority } from "./tls/sandbox-authority.ts";

const DISGUISES = [
  "X-HTTP-Method-Override: DELETE",
  "X_HTTP_Method: DELETE",
  "x-original-url: /admin",
  "X-Rewrite-URL: /",
];

const ruleFor = (port: number) => ({
  type: "allow" as const,
  presets: [],
  hosts: [],
  requests: [{ host: "a.example", port, methods: ["POST"], path: "/v1/**" }],
});

test.each(DISGUISES)(
  "where kinds of request are allowed, one that says that it is another is refused: %s",
  async (line) => {
    const servers = testServers();
    onTestFinished(() => servers.close());
    const port = await servers.http((_request, response) => void response.end("reached"));
    const { ask: answerOf } = testBroker();
    const request = (more: string) => `POST http://a.example:${port}/v1/x HTTP/1.1\r\nContent-Length: 0\r\n${more}\r\n`;
    expect(await answerOf(ruleFor(port), request(""))).toContain("reached");
    expect(await answerOf(ruleFor(port), request(`${line}\r\n`))).toContain("x-handrail-refused: request_unseen");
    expect(await answerOf([`a.example:${port}`], request(`${line}\r\n`))).toContain("reached");
  },
);

test("so is one within opened TLS", async () => {
  const upstream = await testHttps("a.example", (_request, response) => void response.end("reached"));
  onTestFinished(() => void upstream.server.close());
  const authority = sandboxAuthority();
  const opening = { authority, secrets: [], roots: upstream.roots };
  const { open } = testBroker({ openWith: async () => opening });
  const host = `a.example:${upstream.port}`;
  const raw = open(ruleFor(upstream.port));
  raw.write(`CONNECT ${host} HTTP/1.1\r\n\r\n`);
  await once(raw, "data");
  raw.pause();
  const socket = connect({ socket: raw, servername: "a.example", ca: [authority.certificate] });
  const answer = await ask(socket, {
    method: "POST",
    path: "/v1/x",
    headers: { host, "x-http-method-override": "DELETE" },
  });
  expect([answer.status, answer.headers["x-handrail-refused"]]).toEqual([403, "request_unseen"]);
});

test("a secret for kinds of request stays out of one that says that it is another", () => {
  const secret = (use: HeldSecret["use"]): HeldSecret => ({
    name: "A",
    value: "value-0123",
    placeholder: undefined,
    use,
  });
  const target = { host: { name: "a.example", address: false }, port: 443 };
  const request = { target, method: "GET", path: "/me/app/info/refs", query: "?service=git-upload-pack", headers: [] };
  const uses: HeldSecret["use"][] = [
    { type: "header", hosts: [{ host: "a.example", methods: ["GET"] }] },
    { type: "git", host: "a.example", repositories: ["me/*"], push: [] },
  ];
  for (const use of uses) {
    const names = (disguised: boolean) => putSecrets([secret(use)], { ...request, disguised });
    expect(names(false)).toMatchObject({ names: ["A"] });
    expect(names(true)).toMatchObject({ names: [] });
  }
  const whole = secret({ type: "header", hosts: [{ host: "a.example" }] });
  expect(putSecrets([whole], { ...request, disguised: true })).toMatchObject({ names: ["A"] });
});
