import type { GitSecretUse, HeaderSecretUse } from "@handrail/protocol/secrets";
import { expect, test } from "vitest";
import type { HeldSecret } from "./held-secret.ts";
import { type PlainRequest, putSecrets } from "./put-secrets.ts";

const HOST = "git.example";
const basic = (value: string) => `Basic ${Buffer.from(`x-access-token:${value}`).toString("base64")}`;

function gitSecret(name: string, use: Partial<GitSecretUse>): HeldSecret {
  const value = `value-of-${name}`;
  const whole = { type: "git" as const, host: HOST, repositories: [], push: [], ...use };
  return { name, value, placeholder: `placeholder-of-${name}`, use: whole };
}

const headerSecret = (use: Partial<HeaderSecretUse>): HeldSecret => ({
  name: "API",
  value: "value-of-API",
  placeholder: "placeholder-of-API",
  use: { type: "header", hosts: [{ host: HOST }], ...use },
});

const request = (method: string, url: string, headers: readonly string[] = []): PlainRequest => {
  const [path = "", query] = url.split("?");
  const target = { host: { name: HOST, address: false }, port: 443 };
  return { target, method, path, query: query === undefined ? "" : `?${query}`, headers };
};

/** What a request is sent with as Authorization, or the code of why it is not. */
function sent(held: readonly HeldSecret[], asked: PlainRequest): string | undefined {
  const put = putSecrets(held, asked);
  if ("code" in put) return put.code;
  const at = put.headers.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === "authorization");
  return at === -1 ? undefined : put.headers[at + 1];
}

const one = gitSecret("ONE", { repositories: ["me/*"], push: [{ repository: "me/app", branches: ["agent/*"] }] });
const two = gitSecret("TWO", { repositories: ["we/*"], push: [{ repository: "we/app", branches: ["other/*"] }] });

test.each<[string, string, string | undefined]>([
  ["GET", "/me/app.git/info/refs?service=git-upload-pack", basic("value-of-ONE")],
  ["POST", "/me/lib/git-upload-pack", basic("value-of-ONE")],
  ["POST", "/we/lib.git/git-upload-pack", basic("value-of-TWO")],
  ["POST", "/they/lib/git-upload-pack", undefined],
  ["GET", "/me/app.git/info/refs?service=git-receive-pack", basic("value-of-ONE")],
  ["POST", "/we/app/git-receive-pack", basic("value-of-TWO")],
  ["POST", "/me/lib/git-receive-pack", "push_not_allowed"],
  ["GET", "/they/app/info/refs?service=git-receive-pack", "push_not_allowed"],
  ["POST", "/they/./x/../app//git-receive-pack", "push_not_allowed"],
  // These are none of git's.
  ["GET", "/me/app", undefined],
  ["GET", "/me/app.git/info/refs", undefined],
  ["DELETE", "/me/app/git-upload-pack", undefined],
])("a secret for git is for the repositories that it names: %s %s", (method, url, expected) => {
  expect(sent([one, two], request(method, url))).toBe(expected);
});

test.each([
  ["POST", "/they/lib/git-upload-pack"],
  ["GET", "/me/app/settings"],
  ["POST", "/me%2fapp.git/git-receive-pack"],
  ["POST", "/me/app/git-receive-pack%00"],
])("a placeholder does not take a secret for git where its rules do not let it: %s %s", (method, url) => {
  const own = ["Authorization", basic("placeholder-of-ONE"), "X-Token", "placeholder-of-ONE"];
  expect(putSecrets([one], request(method, url, own))).toEqual({
    headers: [...own, "Accept-Encoding", "identity"],
    secrets: [],
    known: [one],
    names: [],
    push: undefined,
  });
});

test("a placeholder of a secret for git is filled in where its rules let the request", () => {
  const asked = request("POST", "/me/lib/git-upload-pack", ["X-Token", "t=placeholder-of-ONE"]);
  expect(putSecrets([one], asked)).toMatchObject({
    headers: ["X-Token", "t=value-of-ONE", "Authorization", basic("value-of-ONE"), "Accept-Encoding", "identity"],
    names: ["ONE"],
  });
});

test("a push is checked by the rules of the secret that it is made with, and by no other's", () => {
  const other = gitSecret("OTHER", { push: [{ repository: "me/app", branches: ["main"] }] });
  const push = putSecrets([one, other], request("POST", "/me/app.git/git-receive-pack"));
  expect(push).toMatchObject({ names: ["ONE"], push: [{ repository: "me/app", branches: ["agent/*"] }] });
  expect(putSecrets([one], request("GET", "/me/app/info/refs?service=git-receive-pack"))).toMatchObject({
    names: ["ONE"],
    push: undefined,
  });
});

test.each<[string, Partial<HeaderSecretUse>, readonly string[], string | undefined]>([
  ["as a bearer's", {}, [], "Bearer value-of-API"],
  ["in place of what the sandbox sent", {}, ["authorization", "mine"], "Bearer value-of-API"],
  ["beside what the sandbox sent", { keep: true }, ["authorization", "mine"], "mine"],
  ["where the sandbox sent none", { keep: true }, [], "Bearer value-of-API"],
  ["in a format", { format: "token {secret}" }, [], "token value-of-API"],
  ["of a user", { user: "ada" }, [], `Basic ${Buffer.from("ada:value-of-API").toString("base64")}`],
  ["in another header", { header: "x-key" }, [], undefined],
  ["for another method", { hosts: [{ host: HOST, methods: ["POST"] }] }, [], undefined],
  ["for another path", { hosts: [{ host: HOST, path: "/v2/**" }] }, [], undefined],
  ["for another port", { hosts: [{ host: HOST, port: 8443 }] }, [], undefined],
  ["for another host", { hosts: [{ host: "other.example" }] }, [], undefined],
  ["for names below the host", { hosts: [{ host: `.${HOST}` }] }, [], undefined],
])("a header is put in %s", (_what, use, headers, expected) => {
  expect(sent([headerSecret(use)], request("GET", "/v1/x", headers))).toBe(expected);
});

test.each<[string, number, Partial<HeaderSecretUse>, boolean]>([
  ["/v1/x", 443, {}, true],
  ["/v1/x", 8443, {}, false],
  ["/v1/x", 8443, { hosts: [{ host: HOST, port: 8443 }] }, true],
  ["/v1/../admin", 443, {}, false],
  ["/v1/%2e%2e/admin", 443, {}, false],
  ["/v1/..%2fadmin", 443, {}, false],
  ["//v1/./x", 443, {}, true],
])("a rule for /v1/** on HTTPS names %s on port %i or not: %j", (path, port, use, named) => {
  const hosts = (use.hosts ?? [{ host: HOST }]).map((rule) => ({ ...rule, path: "/v1/**" }));
  const asked = request("GET", path);
  const sentOn = sent([headerSecret({ hosts })], { ...asked, target: { ...asked.target, port } });
  expect(sentOn !== undefined).toBe(named);
});

test("a secret that is a file goes into no request", () => {
  const file: HeldSecret = { ...headerSecret({}), use: { type: "file" } };
  expect(sent([file], request("GET", "/", ["authorization", "placeholder-of-API"]))).toBe("placeholder-of-API");
});

test("a request to a host that no secret is for goes on as it came", () => {
  const own = ["Range", "bytes=0-3", "Accept-Encoding", "gzip"];
  const other = headerSecret({ hosts: [{ host: "other.example" }] });
  const file: HeldSecret = { ...other, use: { type: "file" } };
  const put = putSecrets([other, file], request("GET", "/", own));
  expect(put).toEqual({ headers: own, secrets: [], known: [], names: [], push: undefined });
});

test("an answer in parts is not asked for with a secret, which could be had in pieces then", () => {
  const parts = ["Range", "bytes=0-3", "if-range", '"tag"', "X-Range", "bytes=0-3"];
  const put = (path: string) =>
    putSecrets([headerSecret({ hosts: [{ host: HOST, path: "/v1/**" }] })], request("GET", path, parts));
  expect(put("/v1/x")).toMatchObject({
    headers: ["X-Range", "bytes=0-3", "authorization", "Bearer value-of-API", "Accept-Encoding", "identity"],
  });
  expect(put("/v2/x")).toMatchObject({ headers: [...parts, "Accept-Encoding", "identity"] });
});
