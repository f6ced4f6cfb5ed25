import { LITELLM_ROUTES } from "@handrail/protocol/litellm-routes";
import { ROUTES } from "@handrail/protocol/routes";
import { SOCKET_CLOSE } from "@handrail/protocol/socket";
import { afterAll, beforeAll, expect, test } from "vitest";
import WebSocket from "ws";
import { sendRaw } from "./support/raw-http.ts";
import { sleep } from "./support/conversations.ts";
import { startServer, type TestServer } from "./support/test-server.ts";

/** Hand-written rubbish: what a generator that follows the API's description would not think of. */
const CONVERSATION = "c_00000000000000000000000000";
let server: TestServer;
let id: string;

beforeAll(async () => {
  server = await startServer({ env: { LLM_BASE_URL: "http://127.0.0.1:9/v1", LLM_API_KEY: "k", LLM_MODEL: "m" } });
  ({ id } = await server.client.createConversation({ body: { source: { type: "empty" } } }));
});
afterAll(() => server.dispose());

type Sent = { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: string | Buffer };

async function send(path: string, { method = "GET", headers = {}, body }: Sent = {}): Promise<number> {
  const answer = await fetch(server.url + path, {
    method,
    headers: { authorization: `Bearer ${server.token}`, ...headers },
    ...(body === undefined ? {} : { body: new Uint8Array(Buffer.from(body as string)) }),
    signal: AbortSignal.timeout(60_000),
  });
  await answer.arrayBuffer();
  return answer.status;
}

/** For an answer after which the server closes the connection. */
const ANSWER_MS = 60_000;

/** The status line of a raw answer: what it says, or `""` when the connection was closed without one. */
const rawStatus = async (bytes: string | Buffer, ms = 2000) => (await sendRaw(server.url, bytes, ms)).slice(9, 12);

const alive = async () => expect(await send("/healthz")).toBe(200);

const json = (body: string | Buffer) => ({ method: "POST", headers: { "content-type": "application/json" }, body });

test.each(
  Object.entries(ROUTES)
    .filter(([, route]) => route.access !== "public")
    .map(([name, { method, path }]) => [name, method, path.replace(":id", CONVERSATION).replace(":ref", "x")] as const),
)("%s answers 401 without credentials", async (_name, method, path) => {
  const answer = await fetch(server.url + path, { method });
  expect(answer.status).toBe(401);
  expect(await answer.json()).toMatchObject({ status: 401, code: "not_signed_in" });
});

const LITELLM = Object.keys(LITELLM_ROUTES).map((name) => name.split(" ") as [method: string, path: string]);

test.each(LITELLM)("%s %s of LiteLLM answers 401 without a key, and to a cookie", async (method, path) => {
  const asked = [{}, { cookie: `handrail=${server.token}` }, { authorization: "Basic eDp4" }];
  for (const headers of asked) {
    const answer = await fetch(server.url + path, { method, headers });
    expect([answer.status, answer.headers.get("x-handrail-error")]).toEqual([401, "key_missing"]);
  }
});

const RUBBISH_BODIES = [
  "{",
  "[]",
  "null",
  '"text"',
  "[".repeat(100_000),
  `{"key":7,"keys":"x","user_id":{},"team_id":[],"max_budget":1e400}`,
  `{"key":"sk-${"x".repeat(5000)}","max_budget":"much","models":{"__proto__":1},"duration":"9d9d"}`,
  `{"__proto__":{"key":"sk-x"},"constructor":1,"budget_duration":"-1d","duration":"99999999999d"}`,
  `{"user_id":"","team_id":"\u0000","metadata":{"a":{"b":[1]}},"rpm_limit":-1,"tpm_limit":1.5}`,
];
const RUBBISH_QUERIES = [
  "?key=%00&user_id=%ff&team_id=&end_user_id=",
  "?page=-1&size=1e9&limit=NaN&before=;drop",
  `?key=${"a".repeat(8000)}&user_id=${"b".repeat(5000)}`,
  "?start_date=yesterday&end_date=0000-00-00&request_id=__proto__",
  "?start_date=0001-01-01&end_date=9999-99-99&summarize=maybe",
  "?litellm_model_id[]=1&model_group=*&user_id=a&user_id=b",
];

test.each(LITELLM)("%s %s of LiteLLM answers rubbish by no 5xx and in time", async (method, path) => {
  const rubbish =
    method === "GET"
      ? RUBBISH_QUERIES.map((query) => send(path + query))
      : RUBBISH_BODIES.map((body) => send(path, { ...json(body), method }));
  const statuses = await Promise.all(rubbish);
  expect(statuses.filter((status) => status >= 500)).toEqual([]);
  if (method !== "GET") expect(statuses[0]).toBe(400);
  await alive();
});

test.each([
  ["broken JSON", "{"],
  ["a JSON text of another type", "[]"],
  ["null", "null"],
  ["nothing", ""],
  ["invalid UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
  ["an unknown field", `{"source":{"type":"empty"},"surprise":1}`],
  ["a prototype in the body", `{"__proto__":{"source":{"type":"empty"}}}`],
  ["brackets without end", "[".repeat(500_000)],
  ["a huge number", `{"source":{"type":"empty"},"limits":{"maxSteps":1e400}}`],
  ["a NUL byte in a path", String.raw`{"source":{"type":"folder","path":"/tmp/\u0000x"}}`],
])("a new conversation from %s is refused by a 4xx", async (_what, body) => {
  const status = await send("/api/conversations", json(body));
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).toBeLessThan(500);
});

test.each(["text/plain", "application/xml", "multipart/form-data", "application/json; charset=utf-16", "rubbish"])(
  "a body of type %s is refused by a 4xx",
  async (type) => {
    const status = await send("/api/conversations", { ...json(`{"source":1}`), headers: { "content-type": type } });
    expect([400, 415, 422]).toContain(status);
  },
);

test("a body of 20 MB is refused, and nothing breaks", async () => {
  const status = await send("/api/conversations", json(Buffer.alloc(20_000_000, 0x20))).catch(() => 413);
  expect(status).toBe(413);
  await alive();
});

test.each([
  "/api/conversations/%00",
  "/api/conversations/%ff%fe",
  "/api/conversations/..%2f..%2fetc%2fpasswd",
  `/api/conversations/${"a".repeat(5000)}`,
  "/api/conversations/__proto__",
  `/api/conversations/${CONVERSATION}/events`,
  "/api/conversations?limit=99999999999999999999",
  "/api/conversations?limit=-1",
  "/api/conversations?limit=NaN",
  "/api/conversations?unknown=1",
  "/api/conversations?limit=1&limit=2",
  "/api/conversations/%",
])("GET %s is refused by a 4xx", async (path) => {
  const status = await send(path);
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).toBeLessThan(500);
});

test.each(["not-a-cursor", "%00", "e30=", "'; drop table conversations; --"])(
  "the cursor %s is no failure of the server",
  async (cursor) => expect(await send(`/api/conversations?after=${cursor}`)).toBeLessThan(500),
);

test.each(["after=-2", "after=9007199254740993", "limit=0", "limit=5001", "after=x"])(
  "events with %s are refused",
  async (query) => expect([400, 422]).toContain(await send(`/api/conversations/${id}/events?${query}`)),
);

test("a wrong Host is refused", async () => {
  const asked = "GET /healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
  expect(await rawStatus(asked, ANSWER_MS)).toMatch(/^4/);
});

test("a post from another site is refused, with a cookie or none", async () => {
  const headers = { origin: "https://evil.example", "sec-fetch-site": "cross-site", cookie: "handrail=x" };
  const body = `{"source":{"type":"empty"}}`;
  const answer = await fetch(`${server.url}/api/conversations`, { method: "POST", body, headers });
  expect([401, 403]).toContain(answer.status);
});

test.each([
  ["random bytes", Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 7919) % 256))],
  ["a TLS greeting", Buffer.from("16030100a5010000a10303", "hex")],
  ["a header flood", `GET /healthz HTTP/1.1\r\n${"X-Flood: aaaaaaaaaaaaaaaaaaaa\r\n".repeat(20_000)}\r\n`],
  ["one endless header", `GET /healthz HTTP/1.1\r\nX: ${"a".repeat(1_000_000)}`],
  ["two lengths", "POST /api/conversations HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"],
  [
    "length and chunks",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  ],
])("%s on the bare socket get a 4xx or a closed connection", async (_what, bytes) => {
  expect(await rawStatus(bytes)).toMatch(/^(4\d\d)?$/);
  await alive();
});

test("half-open requests keep nobody else waiting", async () => {
  const open = Array.from({ length: 100 }, () =>
    sendRaw(server.url, "POST /api/session HTTP/1.1\r\nHost: x\r\n", 1500),
  );
  await sleep(100);
  await alive();
  await Promise.all(open);
});

type Frame = string | Buffer;

/** Sends a frame on a signed-in socket; gives what came after the welcome, until it closed or an error was told. */
async function sendFrame(frame: Frame): Promise<{ readonly types: readonly string[]; readonly closed: boolean }> {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/api/socket`, {
    headers: { authorization: `Bearer ${server.token}` },
  });
  const types: string[] = [];
  let closed = false;
  socket.on("message", (data) => types.push((JSON.parse((data as Buffer).toString()) as { type: string }).type));
  socket.on("error", () => (closed = true));
  socket.on("close", () => (closed = true));
  await new Promise((resolve) => socket.once("open", resolve));
  socket.send(frame);
  await expect.poll(() => closed || types.includes("error")).toBe(true);
  socket.terminate();
  return { types: types.filter((type) => type !== "welcome"), closed };
}

test.each<[string, Frame]>([
  ["binary", Buffer.from([0, 1, 2, 255])],
  ["10 MB of text", "x".repeat(10_000_000)],
  ["invalid JSON", "{"],
  ["an unknown type", `{"type":"launch"}`],
  ["a terminal of nobody", `{"type":"terminal.type","conversationId":"${CONVERSATION}","terminal":"../x","data":"!"}`],
  ["another's id", `{"type":"subscribe","conversationId":"${CONVERSATION}","after":-1}`],
])("a socket frame of %s gets an error or the end of that socket", async (_what, frame) => {
  const { types, closed } = await sendFrame(frame);
  expect(closed || types.includes("error")).toBe(true);
  expect(types).not.toContain("events");
  await alive();
});

/** Asks for the socket with these headers and nothing else; gives the raw answer, to the end of its first frame. */
const upgrade = (extra: string) =>
  sendRaw(
    server.url,
    `GET /api/socket HTTP/1.1\r\nHost: ${new URL(server.url).host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${extra}\r\n`,
    ANSWER_MS,
    (answer) => framesIn(answer).length >= 2 + (framesIn(answer)[1] ?? 0),
  );

/** What follows the head of an answer. */
function framesIn(answer: string): Buffer {
  const head = answer.indexOf("\r\n\r\n");
  return Buffer.from(head < 0 ? "" : answer.slice(head + 4), "latin1");
}

test("a socket without credentials is closed as not signed in, before it is told anything", async () => {
  const frames = framesIn(await upgrade(""));
  expect(frames[0]).toBe(0x88);
  expect(frames.readUInt16BE(2)).toBe(SOCKET_CLOSE.notSignedIn);
  expect(frames.length).toBe(2 + (frames[1] ?? 0));
});

test("a socket from another site's page is refused", async () => {
  expect((await upgrade("Origin: https://evil.example\r\nCookie: handrail=x\r\n")).slice(9, 12)).toBe("403");
});
