import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { buffer } from "node:stream/consumers";
import { ask, testHttps, testOpened } from "../testing/tls-fixture.ts";
import { checkPush } from "./check-push.ts";
import type { HeldSecret } from "./held-secret.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const HOST = "git.example";
const OLD = "1".repeat(40);
const NEW = "2".repeat(40);
const packet = (text: string) => `${(Buffer.byteLength(text) + 4).toString(16).padStart(4, "0")}${text}`;

/** A push of refs, with 300 kB of a pack behind. */
function push(...refs: string[]): Buffer {
  const lines = refs.map((ref, index) => packet(`${OLD} ${NEW} ${ref}${index === 0 ? "\0report-status" : ""}`));
  return Buffer.concat([Buffer.from(`${lines.join("")}0000PACK`), Buffer.alloc(300_000, 7)]);
}

const secret: HeldSecret = {
  name: "GIT",
  value: "value-of-the-secret",
  placeholder: undefined,
  use: { type: "git", host: HOST, repositories: [], push: [{ repository: "me/app", branches: ["agent/*"] }] },
};

/** What a push is answered, and the bodies that arrive. */
async function sent(body: Buffer, headers: Record<string, string> = {}) {
  const arrived: Buffer[] = [];
  const upstream = await testHttps(HOST, async (request, response) => {
    arrived.push(await buffer(request));
    response.end("pushed");
  });
  const { secure, raw, records } = testOpened(HOST, upstream, [secret]);
  closing.push(
    () => raw.destroy(),
    () => upstream.server.closeAllConnections(),
    () => upstream.server.close(),
  );
  const options = { method: "POST", path: "/me/app.git/git-receive-pack", headers: { host: HOST, ...headers } };
  const answer = await ask(secure(), options, body);
  return { status: answer.status, text: answer.body.toString(), arrived, records };
}

test("a push to a branch that a rule allows goes through whole", async () => {
  const body = push("refs/heads/agent/one", "refs/heads/agent/two");
  const { text, arrived, records } = await sent(body);
  expect([text, arrived.length, arrived[0]?.equals(body)]).toEqual(["pushed", 1, true]);
  await expect.poll(() => records).toMatchObject([{ reason: undefined, secrets: ["GIT"] }]);
});

test("a push of very many refs goes through whole", async () => {
  const body = push(...Array.from({ length: 5000 }, (_, index) => `refs/heads/agent/${index}`));
  const { text, arrived } = await sent(body);
  expect([text, arrived.length, arrived[0]?.equals(body)]).toEqual(["pushed", 1, true]);
});

test("a push of which one ref is not allowed reaches nobody, and git is told so for each ref", async () => {
  const { status, text, arrived, records } = await sent(push("refs/heads/agent/one", "refs/heads/main"));
  expect([status, arrived]).toEqual([200, []]);
  expect(text).toMatch(
    /unpack ok\n[^]*ng refs\/heads\/agent\/one No rule allows refs\/heads\/main [^]*ng refs\/heads\/main /,
  );
  expect(records).toMatchObject([{ reason: "push_not_allowed", bytesUp: 0 }]);
});

test("the answer to a push of very many refs, of which a long one is not allowed, is no larger than they are a few times", async () => {
  const refs = Array.from({ length: 9000 }, (_, index) => `refs/heads/agent/${index}`);
  const { status, text, arrived } = await sent(push(`refs/heads/${"x".repeat(4000)}`, ...refs));
  expect([status, arrived]).toEqual([200, []]);
  expect(text.length).toBeLessThan(6_000_000);
  expect(text).toContain("ng refs/heads/agent/8999 No rule allows refs/heads/xxx");
});

test("a push that comes in many small pieces is read once", async () => {
  const lines = Array.from({ length: 9000 }, (_, index) => `refs/heads/agent/${index}`);
  const body = push(...lines).subarray(0, -299_000);
  const request = Object.assign(new PassThrough(), { headers: {} });
  const checked = checkPush(request as unknown as IncomingMessage, secret.use.type === "git" ? secret.use.push : []);
  for (let at = 0; at < body.length; at += 300) {
    request.write(body.subarray(at, at + 300));
    await turn();
  }
  expect(await checked).toHaveProperty("head");
});

test.each<[string, Buffer, Record<string, string>]>([
  ["compressed", gzipSync(push("refs/heads/agent/one")), { "content-encoding": "gzip" }],
  ["said to be compressed", push("refs/heads/agent/one"), { "content-encoding": "gzip" }],
  ["signed", Buffer.from(`${packet("push-cert\0report-status")}0000`), {}],
  ["cut short", push("refs/heads/agent/one").subarray(0, 60), {}],
  ["empty", Buffer.alloc(0), {}],
  ["too long", push(...Array.from({ length: 11_000 }, (_, index) => `refs/heads/agent/${index}`)), {}],
])("a push whose refs cannot be read reaches nobody: %s", async (_what, body, headers) => {
  const { status, arrived, records } = await sent(body, headers);
  expect([status, arrived]).toEqual([403, []]);
  expect(records).toMatchObject([{ reason: "push_not_allowed", bytesUp: 0 }]);
});
