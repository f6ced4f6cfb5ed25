import { afterEach, expect, test } from "vitest";
import {
  flatPrices,
  type FixtureOptions,
  type GatewayFixture,
  scripted,
  startGateway,
} from "../testing/gateway-fixture.ts";
import { handWrittenProvider, heldProvider } from "../testing/hand-written-provider.ts";

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const CHAT = "/v1/chat/completions";
const MESSAGES = "/v1/messages";
const RESPONSES = "/v1/responses";
const ASK = { model: "m", messages: [{ role: "user", content: "hi" }], max_tokens: 100 };
const INPUT = { model: "m", input: "hi", max_output_tokens: 100 };
const FOREVER = 253_402_300_799_000;

async function gateway(options: Partial<FixtureOptions> = {}): Promise<GatewayFixture> {
  const up = await scripted({ text: "Hello", usage: { inputTokens: 10, outputTokens: 5 } });
  ends.push(() => up.close());
  const way = await startGateway({ deployments: [{ baseUrl: up.baseUrl }], ...options });
  ends.push(() => way.close());
  return way;
}

type OpenAiError = {
  readonly type: string;
  readonly message: string;
  readonly param: string | null;
  readonly code: string;
};
type Told = Pick<OpenAiError, "type" | "code" | "param"> & { readonly status: number; readonly headers: object };

/** A refusal, and that it says the same in the words of every format. */
async function refused(
  way: GatewayFixture,
  { model = "m", key = way.key }: { readonly model?: string; readonly key?: string | null } = {},
): Promise<Told> {
  const headers: Record<string, string> = key === null ? { authorization: "" } : { authorization: `Bearer ${key}` };
  const ask = async (path: string, body: object) => {
    const answer = await way.post(path, { ...body, model }, headers);
    return { answer, body: (await answer.json()) as { readonly error: OpenAiError } };
  };
  const chat = await ask(CHAT, ASK);
  const messages = await ask(MESSAGES, ASK);
  const responses = await ask(RESPONSES, INPUT);
  const embeddings = await ask("/v1/embeddings", INPUT);
  const { status } = chat.answer;
  const { type, message, param, code } = chat.body.error;
  for (const openAi of [responses, embeddings])
    expect([openAi.answer.status, openAi.body]).toEqual([
      status,
      { error: { type, message: expect.any(String), param, code } },
    ]);
  expect([messages.answer.status, messages.body]).toEqual([
    status,
    { type: "error", error: { type: expect.any(String), message: expect.any(String) } },
  ]);
  expect(message).toMatch(/^[A-Z].*\.$/);
  return { status, type, code, param, headers: Object.fromEntries(chat.answer.headers) };
}

test("who has no key, an unknown, a revoked or an expired one is told so in LiteLLM's words", async () => {
  const now = Date.now();
  const way = await gateway();
  const { key: expired } = await way.books.keys.create({
    name: "e",
    owner: { kind: "user", id: "ann" },
    limits: {},
    expiresAt: now - 1,
  });
  expect(await refused(way, { key: null })).toMatchObject({ status: 401, type: "auth_error", code: "401" });
  expect(await refused(way, { key: "sk-other" })).toMatchObject({ status: 401, type: "token_not_found_in_db" });
  expect(await refused(way, { key: expired })).toMatchObject({ status: 401, type: "expired_key" });
  const { record, key } = await way.books.keys.create({ name: "r", owner: { kind: "user", id: "ann" }, limits: {} });
  expect((await way.post(CHAT, ASK, { authorization: `Bearer ${key}` })).status).toBe(200);
  Object.assign(record, { revokedAt: now - 1 });
  expect(await refused(way, { key })).toMatchObject({
    status: 401,
    type: "token_not_found_in_db",
    headers: { "x-handrail-error": "key_invalid" },
  });
});

test("a key is taken from each header that clients send it in", async () => {
  const way = await gateway();
  for (const headers of [
    { authorization: `bearer ${way.key}` },
    { authorization: "", "x-api-key": way.key },
    { authorization: "", "api-key": way.key },
    { authorization: "", "x-litellm-api-key": `Bearer ${way.key}` },
  ])
    expect([headers, (await way.post(CHAT, ASK, headers)).status]).toEqual([headers, 200]);
});

test("a model must be there, and be allowed by the key, its user and its team", async () => {
  const up = await scripted({ text: "Hello" });
  ends.push(() => up.close());
  const deployments = ["a/x", "a/y", "b/x"].map((name) => ({ id: name, name, baseUrl: up.baseUrl }));
  const way = await gateway({ deployments, key: { teamId: "t", models: ["a/*", "b/x", "gone"] } });
  const status = async (model: string) => (await way.post(CHAT, { ...ASK, model })).status;
  expect([await status("a/x"), await status("a/y"), await status("b/x")]).toEqual([200, 200, 200]);
  await way.books.keys.saveOwner({ kind: "user", id: "ann", name: "Ann", limits: {}, models: ["a/x", "b/x", "gone"] });
  await way.books.keys.saveOwner({ kind: "team", id: "t", name: "T", limits: {}, models: ["a/x", "a/y", "gone"] });
  expect([await status("a/x"), await status("a/y"), await status("b/x")]).toEqual([200, 403, 403]);
  expect(await refused(way, { model: "b/x" })).toMatchObject({
    status: 403,
    type: "key_model_access_denied",
    code: "403",
  });
  expect(await refused(way, { model: "gone" })).toMatchObject({
    status: 404,
    code: "model_not_found",
    param: "model",
    headers: { "x-handrail-error": "model_not_found" },
  });
  const listed = await fetch(`${way.url}/v1/models`, { headers: { authorization: `Bearer ${way.key}` } });
  expect(await listed.json()).toMatchObject({ object: "list", data: [{ id: "a/x", object: "model" }] });
});

test("a total budget that is used up asks for a long wait, and says that clients need not try before", async () => {
  const way = await gateway({ deployments: [{}], key: { limits: { budget: { usd: 1e-9, period: "total" } } } });
  const answer = await way.post(CHAT, ASK);
  expect([answer.status, Object.fromEntries(answer.headers)]).toEqual([
    429,
    expect.objectContaining({
      rate_limit_type: "budget",
      "retry-after": "86400",
      "x-should-retry": "false",
      "x-handrail-error": "budget_exceeded",
    }),
  ]);
});

test("a call too many at the same time is refused, and comes through when another is over", async () => {
  const { baseUrl, close, came, go } = await heldProvider();
  ends.push(close);
  const way = await gateway({ deployments: [{ baseUrl }], key: { limits: { parallel: 1 } } });
  const first = way.post(CHAT, ASK);
  await came;
  const second = await way.post(CHAT, ASK);
  expect([second.status, second.headers.get("rate_limit_type"), second.headers.get("retry-after")]).toEqual([
    429,
    "parallel",
    "1",
  ]);
  go();
  expect((await first).status).toBe(200);
  expect((await way.post(CHAT, ASK)).status).toBe(200);
});

test("books that do not answer let nobody in, and are not the client's fault", async () => {
  const way = await gateway();
  way.books.breakWith("The database is away.");
  expect(await refused(way)).toMatchObject({ status: 503, type: "no_db_connection" });
  const ready = await fetch(`${way.url}/health/readiness`);
  expect([ready.status, await ready.json()]).toEqual([
    503,
    { status: "unhealthy", db: "Not connected", detail: "The database is away." },
  ]);
  way.books.breakWith(undefined);
  expect(await (await fetch(`${way.url}/health/readiness`)).json()).toEqual({ status: "healthy", db: "connected" });
  const alive = await fetch(`${way.url}/health/liveliness`);
  expect([alive.status, await alive.text()]).toEqual([200, `"I'm alive!"`]);
});

test("an answer says what happened to its call, in LiteLLM's names", async () => {
  const way = await gateway();
  const { headers } = await way.post(CHAT, ASK);
  expect(Object.fromEntries(headers)).toMatchObject({
    "x-litellm-call-id": expect.stringMatching(/^[0-9a-f-]{36}$/),
    "x-litellm-model-id": "d1",
    "x-litellm-model-group": "m",
    "x-litellm-attempted-retries": "0",
    "x-litellm-attempted-fallbacks": "0",
    "x-litellm-response-cost": "0.000015",
    "x-handrail-lane": "pass-through",
  });
  expect(way.books.entries()[0]?.callId).toBe(headers.get("x-litellm-call-id"));
});

test("what a translation leaves out, since it only hints, is said in a header", async () => {
  const up = await scripted({ text: "Hello" });
  ends.push(() => up.close());
  const way = await gateway({ deployments: [{ baseUrl: up.baseUrl, provider: "openai", formats: ["chat"] }] });
  const system = [{ type: "text", text: "Be careful.", cache_control: { type: "ephemeral" } }];
  const answer = await way.post(MESSAGES, { ...ASK, system });
  expect([answer.status, answer.headers.get("x-handrail-lane"), answer.headers.get("x-handrail-warnings")]).toEqual([
    200,
    "translated",
    expect.stringContaining("cache_control"),
  ]);
});

test("models are listed in the words of whoever asks, and one that is there is shown", async () => {
  const way = await gateway({
    deployments: [
      { id: "1", name: "m" },
      { id: "2", name: "any/*" },
    ],
    key: { expiresAt: FOREVER },
  });
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(way.url + path, { headers: { authorization: `Bearer ${way.key}`, ...headers } });
    return [answer.status, await answer.json()];
  };
  const model = (id: string) => ({ id, object: "model", created: expect.any(Number), owned_by: "handrail" });
  const anthropic = { "anthropic-version": "2023-06-01" };
  const theirs = { type: "model", id: "m", display_name: "m", created_at: expect.any(String) };
  expect(await get("/v1/models")).toEqual([200, { object: "list", data: [model("m")] }]);
  expect(await get("/models/")).toEqual([200, { object: "list", data: [model("m")] }]);
  expect(await get("/v1/models/m")).toEqual([200, model("m")]);
  expect(await get("/v1/models/any%2Fthing")).toEqual([200, model("any/thing")]);
  expect(await get("/v1/models/any/thing")).toEqual([200, model("any/thing")]);
  expect(await get("/v1/models/none")).toEqual([404, { error: expect.objectContaining({ code: "model_not_found" }) }]);
  expect(await get("/v1/models", anthropic)).toEqual([
    200,
    { data: [theirs], has_more: false, first_id: "m", last_id: "m" },
  ]);
  expect(await get("/v1/models/m", anthropic)).toEqual([200, theirs]);
  expect(await get("/v1/models/none", anthropic)).toEqual([404, { type: "error", error: expect.any(Object) }]);
  expect(await get("/v1/models", { authorization: "Bearer sk-none" })).toEqual([401, { error: expect.any(Object) }]);
});

test("a prompt's tokens are counted by the provider where it can, else from its bytes, which is said; it costs nothing", async () => {
  let counts = true;
  const asked: unknown[] = [];
  const { baseUrl, close } = await handWrittenProvider((response, body) => {
    asked.push(JSON.parse(body));
    response.writeHead(counts ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(counts ? { input_tokens: 4711 } : { error: { message: "no such path" } }));
  });
  ends.push(close);
  const way = await gateway({
    deployments: [{ baseUrl, provider: "litellm" }],
    key: { models: ["m"] },
    prices: flatPrices,
  });
  const count = async (model = "m") => {
    const answer = await way.post("/v1/messages/count_tokens", { ...ASK, model });
    return [answer.status, await answer.json(), answer.headers.get("x-handrail-estimated")];
  };
  expect(await count()).toEqual([200, { input_tokens: 4711 }, null]);
  expect(asked).toMatchObject([{ model: "up", messages: ASK.messages }]);
  counts = false;
  const guess = Math.ceil(JSON.stringify(ASK).length / 3);
  expect(await count()).toEqual([200, { input_tokens: guess }, "true"]);
  expect(await count("other")).toEqual([403, { type: "error", error: expect.any(Object) }, null]);
  expect(way.books.entries()).toEqual([]);
});
