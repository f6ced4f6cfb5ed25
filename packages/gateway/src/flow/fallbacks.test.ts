import { afterEach, expect, test } from "vitest";
import { type CatalogRules, NO_RULES } from "../catalog/catalog.ts";
import { DEFAULT_ROUTING } from "../ports/deployment.ts";
import { type FixtureOptions, type GatewayFixture, startGateway } from "../testing/gateway-fixture.ts";
import { handWrittenProvider } from "../testing/hand-written-provider.ts";

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const CHAT = "/v1/chat/completions";
const ASK = { model: "m", messages: [{ role: "user", content: "hi" }] };
const USAGE = { prompt_tokens: 10, completion_tokens: 2 };
const GOOD = { id: "c", choices: [{ index: 0, message: { content: "Hello" }, finish_reason: "stop" }], usage: USAGE };

type Answer = { readonly status: number; readonly headers?: Record<string, string>; readonly body: object | string };
type Provider = { readonly baseUrl: string; readonly asked: string[] };

const refusal = (status: number, error: object, headers: Record<string, string> = {}): Answer => ({
  status,
  headers,
  body: { error },
});
const OVERFLOW = refusal(400, {
  message: "This model's maximum context length is 10 tokens.",
  code: "context_length_exceeded",
});
const FILTERED = refusal(400, { message: "The prompt was refused.", code: "content_filter" });
const BUSY = refusal(429, { message: "Slow down" });

/** A provider that gives these answers one after the other, and then good ones. It notes which models it was asked for. */
async function provider(...answers: readonly Answer[]): Promise<Provider> {
  const asked: string[] = [];
  const { baseUrl, close } = await handWrittenProvider((response, body) => {
    asked.push((JSON.parse(body) as { readonly model: string }).model);
    const { status, headers, body: said } = answers[asked.length - 1] ?? { status: 200, body: GOOD };
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof said === "string" ? said : JSON.stringify(said));
  });
  ends.push(close);
  return { baseUrl, asked };
}

type Way = GatewayFixture & { readonly asked: string[] };

/** A gateway before one provider with the models m, b, c and d. */
async function gateway(
  up: Provider,
  { rules = {}, ...options }: Omit<Partial<FixtureOptions>, "rules"> & { readonly rules?: Partial<CatalogRules> } = {},
): Promise<Way> {
  const deployments = ["m", "b", "c", "d"].map((name) => ({ id: name, name, model: name, baseUrl: up.baseUrl }));
  const way = await startGateway({ deployments, rules: () => ({ ...NO_RULES, ...rules }), ...options });
  ends.push(() => way.close());
  return { ...way, asked: up.asked };
}

const told = async (answer: Response) => ({
  status: answer.status,
  text: await answer.text(),
  retries: answer.headers.get("x-litellm-attempted-retries"),
  fallbacks: answer.headers.get("x-litellm-attempted-fallbacks"),
  group: answer.headers.get("x-litellm-model-group"),
});

test("a prompt that is too long goes to the models that are named for that, and on from these, and is not asked twice", async () => {
  const way = await gateway(await provider(OVERFLOW, OVERFLOW), {
    rules: { contextFallbacks: { m: ["b"], b: ["c"] }, fallbacks: { m: ["d"] } },
  });
  expect(await told(await way.post(CHAT, ASK))).toMatchObject({
    status: 200,
    retries: "0",
    fallbacks: "2",
    group: "c",
  });
  expect(way.asked).toEqual(["m", "b", "c"]);
});

test("a prompt that is too long for all of them is refused in the provider's words", async () => {
  const way = await gateway(await provider(OVERFLOW, OVERFLOW), { rules: { contextFallbacks: { m: ["b"] } } });
  const { status, text } = await told(await way.post(CHAT, ASK));
  expect([status, JSON.parse(text)]).toEqual([400, OVERFLOW.body]);
  expect(way.asked).toEqual(["m", "b"]);
});

test("what a content filter refuses goes to the models that are named for that", async () => {
  const way = await gateway(await provider(FILTERED), {
    rules: { contentFallbacks: { m: ["c"] }, fallbacks: { m: ["d"] }, contextFallbacks: { m: ["b"] } },
  });
  expect((await way.post(CHAT, ASK)).status).toBe(200);
  expect(way.asked).toEqual(["m", "c"]);
});

test("a request that is at fault itself is asked once, wherever it could go", async () => {
  const way = await gateway(await provider(refusal(400, { message: "temperature must be a number" })), {
    rules: { contentFallbacks: { m: ["c"] }, fallbacks: { m: ["d"] }, contextFallbacks: { m: ["b"] } },
  });
  expect((await way.post(CHAT, ASK)).status).toBe(400);
  expect(way.asked).toEqual(["m"]);
});

test("a client's own fallbacks win over those of the settings, by name or as an object", async () => {
  const way = await gateway(await provider(BUSY), { rules: { fallbacks: { m: ["d"] } } });
  const fallbacks = [{ model: "b" }, "c"];
  expect((await way.post(CHAT, { ...ASK, fallbacks, num_retries: 0 })).status).toBe(200);
  expect(way.asked).toEqual(["m", "b"]);
});

test("no fallback leads to a model that the key may not use", async () => {
  const way = await gateway(await provider(BUSY), {
    key: { models: ["m", "c"] },
    rules: { fallbacks: { m: ["b", "c"] } },
  });
  expect((await way.post(CHAT, { ...ASK, num_retries: 0 })).status).toBe(200);
  expect(way.asked).toEqual(["m", "c"]);
});

test("a call is tried again as often as the client, the deployment or the settings say, in that order", async () => {
  const wanted: readonly [client: number | undefined, place: number | undefined, tries: number][] = [
    [undefined, undefined, 3],
    [undefined, 1, 2],
    [0, 1, 1],
    [3, 1, 4],
  ];
  for (const [client, place, tries] of wanted) {
    const up = await provider(...Array.from({ length: 9 }, () => refusal(500, { message: "sick" })));
    const own = place === undefined ? {} : { maxRetries: place };
    const way = await gateway(up, { deployments: [{ id: "m", baseUrl: up.baseUrl, ...own }] });
    const headers = client === undefined ? {} : { "x-litellm-num-retries": String(client) };
    const { status, retries } = await told(await way.post(CHAT, ASK, headers));
    expect([status, retries, up.asked.length]).toEqual([500, String(tries - 1), tries]);
  }
});

test("the pause before the next try grows, unless the provider says how long it should be", async () => {
  const slow = { ...DEFAULT_ROUTING, backoffMs: 80 };
  const began = performance.now();
  const grown = await gateway(await provider(BUSY, BUSY), { routing: () => slow });
  expect((await grown.post(CHAT, ASK)).status).toBe(200);
  // At least half of 80 and of 160.
  expect(performance.now() - began).toBeGreaterThan(119);
  const soon = refusal(429, { message: "Slow down" }, { "retry-after-ms": "1" });
  const said = await gateway(await provider(soon, soon), { routing: () => ({ ...slow, backoffMs: 600_000 }) });
  expect((await said.post(CHAT, ASK)).status).toBe(200);
});

test("a provider that wants a longer pause than a client would wait is not waited for, and the time is told as the provider's", async () => {
  const later = refusal(429, { message: "Slow down" }, { "retry-after": "61" });
  const way = await gateway(await provider(later));
  const answer = await way.post(CHAT, ASK);
  expect(answer.status).toBe(429);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    "llm_provider-retry-after": "61",
    "x-handrail-error": "model_rate_limited",
  });
  expect(answer.headers.get("retry-after")).toBe(null);
  expect(way.asked).toEqual(["m"]);
});

test("a place that says when to come again rests until then", async () => {
  const later = refusal(429, { message: "Slow down" }, { "retry-after": "45" });
  const [bad, good] = [await provider(later), await provider()];
  let at = Date.now();
  const way = await gateway(bad, {
    deployments: [
      { id: "bad", baseUrl: bad.baseUrl, weight: 1e9 },
      { id: "good", baseUrl: good.baseUrl, weight: 1e-9 },
    ],
    now: () => at,
  });
  const ask = async () => (await way.post(CHAT, ASK)).headers.get("x-litellm-model-id");
  expect([await ask(), way.gateway.health("bad")]).toMatchObject([
    "good",
    { state: "resting", restsUntil: at + 45_000 },
  ]);
  at += 44_000;
  expect(await ask()).toBe("good");
  at += 1001;
  expect([await ask(), bad.asked.length]).toEqual(["bad", 2]);
});

test("a provider that says that another try is of no use gets none", async () => {
  const way = await gateway(await provider(refusal(500, { message: "no" }, { "x-should-retry": "false" })));
  expect((await way.post(CHAT, ASK)).status).toBe(500);
  expect(way.asked).toEqual(["m"]);
});

test("a place without credit, without a right or without the model rests at once, and another answers", async () => {
  for (const sick of [
    refusal(429, { message: "You exceeded your current quota", code: "insufficient_quota" }),
    refusal(402, { message: "Insufficient Balance" }),
    refusal(
      429,
      { message: "No money", type: "budget_exceeded" },
      { "retry-after": "86400", "x-should-retry": "false" },
    ),
    refusal(400, { message: "Your credit balance is too low" }),
    refusal(401, { message: "Incorrect API key" }),
    refusal(404, { message: "The model `m` does not exist" }),
  ]) {
    const [bad, good] = [await provider(sick), await provider()];
    const way = await gateway(bad, {
      deployments: [
        { id: "bad", baseUrl: bad.baseUrl, weight: 1e9 },
        { id: "good", baseUrl: good.baseUrl, weight: 1e-9 },
      ],
    });
    for (let calls = 0; calls < 4; calls += 1) expect((await way.post(CHAT, ASK)).status).toBe(200);
    expect([bad.asked.length, good.asked.length, way.gateway.health("bad").state]).toEqual([1, 4, "resting"]);
  }
});

test("calls of one conversation go to one place, whoever names it, and another key's go their own way", async () => {
  const ups = await Promise.all(Array.from({ length: 8 }, () => provider()));
  const deployments = ups.map(({ baseUrl }, index) => ({ id: `d${index}`, baseUrl }));
  const way = await gateway(ups[0]!, { deployments, rules: { strategy: "least-busy" } });
  const { key: other } = await way.books.keys.create({ name: "o", owner: { kind: "user", id: "bob" }, limits: {} });
  const places = async (send: () => Promise<Response>) => {
    const ids = new Set<string | null>();
    for (let calls = 0; calls < 12; calls += 1) ids.add((await send()).headers.get("x-litellm-model-id"));
    return [...ids];
  };
  const named = { "x-litellm-session-id": "s7" };
  const [one] = await places(() => way.post(CHAT, ASK, named));
  expect(await places(() => way.post(CHAT, ASK, named))).toEqual([one]);
  expect(await places(() => way.post(CHAT, { ...ASK, prompt_cache_key: "s7" }))).toEqual([one]);
  expect(await places(() => way.post(CHAT, { ...ASK, metadata: { session_id: "s7" } }))).toEqual([one]);
  expect((await places(() => way.post(CHAT, ASK))).length).toBeGreaterThan(2);
  const sessions = Array.from({ length: 16 }, (_, index) => ({ "x-litellm-session-id": `t${index}` }));
  const mine = await Promise.all(
    sessions.map(async (headers) => (await way.post(CHAT, ASK, headers)).headers.get("x-litellm-model-id")),
  );
  const theirs = await Promise.all(
    sessions.map(async (headers) =>
      (await way.post(CHAT, ASK, { ...headers, authorization: `Bearer ${other}` })).headers.get("x-litellm-model-id"),
    ),
  );
  expect(theirs).not.toEqual(mine);
});

test("a long conversation that nobody names is known by how it begins", async () => {
  const ups = await Promise.all(Array.from({ length: 8 }, () => provider()));
  const deployments = ups.map(({ baseUrl }, index) => ({ id: `d${index}`, baseUrl }));
  const way = await gateway(ups[0]!, { deployments });
  const begins = [
    { role: "system", content: "You are careful.".repeat(300) },
    { role: "user", content: "hi" },
  ];
  const places = new Set<string | null>();
  for (let turn = 0; turn < 12; turn += 1) {
    const more = Array.from({ length: turn }, (_, index) => ({ role: "user", content: `more ${index}` }));
    const answer = await way.post(CHAT, { model: "m", messages: [...begins, ...more] });
    places.add(answer.headers.get("x-litellm-model-id"));
  }
  expect([...places]).toHaveLength(1);
});
