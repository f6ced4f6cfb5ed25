import { afterEach, expect, test } from "vitest";
import type { Turn } from "@handrail/scripted-model/script";
import { memoryAnswerCache } from "../cache/memory-answer-cache.ts";
import { openCache } from "../cache/open-cache.ts";
import type { KeyRecord, NewKey } from "../ports/keys.ts";
import type { Group } from "../ports/deployment.ts";
import { readAsked } from "../request/asked.ts";
import { type GatewayFixture, scripted, startGateway } from "../testing/gateway-fixture.ts";
import { cacheSlot } from "./cached-answers.ts";

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const TURN: Turn = { text: "Hello there", usage: { inputTokens: 100, outputTokens: 20 }, chunkSize: 3 };
const ASK = { model: "m", messages: [{ role: "user", content: "hi" }] };
const CHAT = "/v1/chat/completions";

async function cachingGateway({ turn = TURN, key = {}, enabled = true }: Partial<Caching> = {}) {
  const up = await scripted(turn);
  ends.push(() => up.close());
  const deployments = [{ provider: "litellm", baseUrl: up.anthropicBaseUrl } as const];
  const way = await startGateway({ deployments, cache: openCache({ enabled }), key });
  ends.push(() => way.close());
  return { way, asked: () => up.requests().length };
}
type Caching = { readonly turn: Turn; readonly key: Partial<NewKey>; readonly enabled: boolean };

const cacheOf = (answer: Response) => answer.headers.get("x-handrail-cache");

/** Asks, reads the whole answer, and gives whether it came from the cache, and its text. */
async function ask(way: GatewayFixture, body: object = ASK, headers: Readonly<Record<string, string>> = {}) {
  const answer = await way.post(CHAT, body, headers);
  return { cache: cacheOf(answer), text: await answer.text() };
}

async function anotherKey(way: GatewayFixture, wanted: Partial<NewKey>): Promise<string> {
  const owner = { kind: "user", id: "bob" } as const;
  return (await way.books.keys.create({ name: "other", owner, limits: {}, ...wanted })).key;
}

for (const [path, body] of [
  [CHAT, ASK],
  ["/v1/messages", { ...ASK, max_tokens: 100 }],
  ["/v1/responses", { model: "m", input: "hi" }],
] as const) {
  for (const stream of [false, true]) {
    test(`${path} ${stream ? "replays a stream" : "answers"} from the cache with the same bytes, for nothing`, async () => {
      const { way, asked } = await cachingGateway();
      const first = await way.post(path, { ...body, stream });
      const text = await first.text();
      const second = await way.post(path, { ...body, stream });
      expect(await second.text()).toBe(text);
      expect([cacheOf(first), cacheOf(second)]).toEqual(["miss", "hit"]);
      expect(second.headers.get("content-type")).toBe(first.headers.get("content-type"));
      expect(second.headers.get("x-litellm-response-cost")).toBe("0");
      expect(asked()).toBe(1);
      const usage = { inputTokens: 100, outputTokens: 20 };
      expect(way.books.entries()).toMatchObject([
        { outcome: "ok", costUsd: 0.00012, savedUsd: 0, usage },
        { outcome: "cached", costUsd: 0, savedUsd: 0.00012, usage, estimated: false, status: 200 },
      ]);
    });
  }
}

test("a key's answers are its own, unless it shares them with its team or with all", async () => {
  const { way, asked } = await cachingGateway();
  await ask(way);
  const other = { authorization: `Bearer ${await anotherKey(way, {})}` };
  expect((await ask(way, ASK, other)).cache).toBe("miss");
  expect((await ask(way, ASK, other)).cache).toBe("hit");
  for (const scope of ["team", "all"] as const) {
    const [one, two] = [
      await anotherKey(way, { cache: scope, teamId: "t" }),
      await anotherKey(way, { cache: scope, teamId: "t" }),
    ];
    expect((await ask(way, ASK, { authorization: `Bearer ${one}` })).cache).toBe("miss");
    expect((await ask(way, ASK, { authorization: `Bearer ${two}` })).cache).toBe("hit");
  }
  expect(asked()).toBe(4);
});

test("without a word of the key's nothing is kept where that is the rule", async () => {
  const { way, asked } = await cachingGateway({ enabled: false });
  for (const _ of [1, 2]) expect((await ask(way)).cache).toBe(null);
  const own = { authorization: `Bearer ${await anotherKey(way, { cache: "key" })}` };
  await ask(way, ASK, own);
  expect((await ask(way, ASK, own)).cache).toBe("hit");
  expect(asked()).toBe(3);
});

test("cache-control asks for a fresh answer, or for none to be kept", async () => {
  const { way, asked } = await cachingGateway();
  await ask(way, ASK, { "cache-control": "no-store" });
  expect((await ask(way)).cache).toBe("miss");
  expect((await ask(way, ASK, { "cache-control": "no-cache" })).cache).toBe(null);
  expect((await ask(way)).cache).toBe("hit");
  expect(asked()).toBe(3);
});

test("LiteLLM's `cache` of the body says the same, makes no other answer, and does not leave", async () => {
  const { way, asked } = await cachingGateway();
  await ask(way, { ...ASK, cache: { "no-store": true } });
  expect((await ask(way)).cache).toBe("miss");
  expect((await ask(way, { ...ASK, cache: { "no-cache": true } })).cache).toBe(null);
  expect((await ask(way, { ...ASK, cache: { ttl: 60 } })).cache).toBe("hit");
  expect((await ask(way, { ...ASK, cache: { namespace: "other" } })).cache).toBe("miss");
  expect(asked()).toBe(4);
});

test("another question, model name or header for the model is another answer", async () => {
  const { way } = await cachingGateway();
  await ask(way);
  expect((await ask(way, { ...ASK, temperature: 1 })).cache).toBe("miss");
  expect((await ask(way, ASK, { "openai-beta": "x" })).cache).toBe("miss");
  expect((await ask(way)).cache).toBe("hit");
});

test("answers with tool calls, and refusals, are not kept", async () => {
  const turn: Turn = { calls: [{ tool: "look", arguments: {} }] };
  const tools = await cachingGateway({ turn });
  await ask(tools.way);
  expect((await ask(tools.way)).cache).toBe("miss");
  const faults = Array.from({ length: 6 }, () => ({ type: "status", status: 400 }) as const);
  const refused = await cachingGateway({ turn: { ...TURN, faults } });
  await ask(refused.way);
  expect((await ask(refused.way)).cache).not.toBe("hit");
});

test("a cached answer counts as a request of its key", async () => {
  const { way } = await cachingGateway({ key: { limits: { requestsPerMinute: 2 } } });
  await ask(way);
  expect((await ask(way)).cache).toBe("hit");
  expect((await way.post(CHAT, ASK)).status).toBe(429);
});

test("an agent's own calls are not cached, whatever the program does for keys that do not say", async () => {
  const { way, asked } = await cachingGateway({ key: { conversationId: "c_1" } });
  expect([await ask(way), await ask(way)].map(({ cache }) => cache)).toEqual([null, null]);
  expect(asked()).toBe(2);
});

/** One with a clock that is set by hand, and places and rules that the test names. */
async function timedGateway(maxBytes: number, names: readonly string[] = ["m"]) {
  const up = await scripted(TURN);
  ends.push(() => up.close());
  let at = Date.now();
  const now = () => at;
  const way = await startGateway({
    deployments: names.map((name) => ({ id: name, name, baseUrl: up.baseUrl })),
    cache: { answers: memoryAnswerCache({ now }), scope: "key", ttlMs: 3_600_000, maxBytes, toolCalls: false },
    now,
  });
  ends.push(() => way.close());
  return { way, pass: (seconds: number) => (at += seconds * 1000) };
}

test("an answer is kept as long as the rules or the client say, and may be too old for a client", async () => {
  const { way, pass } = await timedGateway(2_000_000);
  await ask(way);
  pass(100);
  const old = await way.post(CHAT, ASK);
  expect([cacheOf(old), old.headers.get("age")]).toEqual(["hit", "100"]);
  expect((await ask(way, ASK, { "cache-control": "max-age=100" })).cache).toBe("hit");
  expect((await ask(way, ASK, { "cache-control": "s-maxage=99" })).cache).toBe("miss");
  expect((await ask(way, { ...ASK, cache: { "s-maxage": 0, ttl: 10 } })).cache).toBe("hit");
  pass(1);
  expect((await ask(way, { ...ASK, cache: { "s-maxage": 0, ttl: 10 } })).cache).toBe("miss");
  pass(9);
  expect((await ask(way)).cache).toBe("hit");
  pass(2);
  expect((await ask(way)).cache).toBe("miss");
  pass(3601);
  expect((await ask(way)).cache).toBe("miss");
});

test("an answer that is larger than is said is not kept", async () => {
  const { way } = await timedGateway(100);
  for (const _ of [1, 2]) expect((await ask(way)).cache).toBe("miss");
});

test("the same question to a model of another name, or to one that is elsewhere now, is another", async () => {
  const { way } = await timedGateway(2_000_000, ["m", "n"]);
  const question = { messages: ASK.messages, model: "m" };
  await ask(way, question);
  expect((await ask(way, { ...question, model: "n" })).cache).toBe("miss");
  const slots = [place("here"), place("there")].map((group) => cacheSlot(RULES, asked(), KEY, group)?.key);
  expect(new Set(slots).size).toBe(2);
  const names = ["m", "n"].map((name) => cacheSlot(RULES, asked(), KEY, { ...place("here"), name })?.key);
  expect(new Set(names).size).toBe(2);
});

const RULES = openCache({ enabled: true });
const KEY: KeyRecord = {
  id: "k_1",
  hash: "",
  hint: "",
  name: "k",
  owner: { kind: "user", id: "ann" },
  limits: {},
  createdAt: 0,
  admin: false,
};
const asked = () => readAsked({ format: "chat", headers: {}, body: Buffer.from(JSON.stringify(ASK)) });
const place = (id: string): Group => ({
  name: "m",
  deployments: [{ id, name: "m", provider: "openai", model: "up" }],
  strategy: "weighted",
  fallbacks: [],
  contextFallbacks: [],
  contentFallbacks: [],
});
