import { createHash } from "node:crypto";
import type { ScriptedModel } from "@handrail/scripted-model/scripted-model";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventsOf, runEnd, startConversation } from "./support/conversations.ts";
import { scriptedEnvironment } from "./support/model-env.ts";
import { startServer, type TestServer } from "./support/test-server.ts";

/** Ten dollars for a million tokens in, twenty for a million out: a call of the script costs 0.0002 + 0.0002. */
const PRICES = { LLM_INPUT_USD_PER_MILLION: "10", LLM_OUTPUT_USD_PER_MILLION: "20", LLM_CONTEXT_TOKENS: "100000" };
const usage = { inputTokens: 20, outputTokens: 10 };
const script = {
  name: "counted",
  turns: [{ calls: [{ tool: "terminal", arguments: { command: "echo hello" } }], usage }],
  otherwise: { text: "All is done.", usage },
};
const CALL_USD = 0.0004;

let server: TestServer;
let model: ScriptedModel;

beforeAll(async () => {
  const scripted = await scriptedEnvironment(script);
  model = scripted.model;
  server = await startServer({ env: { ...scripted.env, ...PRICES } });
});
afterAll(async () => {
  await server?.dispose();
  await model?.close();
});

type Ask = { readonly path: string; readonly key: string; readonly body: object; readonly signal?: AbortSignal };

function post({ path, key, body, signal }: Ask): Promise<Response> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
  return fetch(server.url + path, { method: "POST", headers, body: JSON.stringify(body), signal: signal ?? null });
}

const messages = [
  { role: "user", content: "hello" },
  { role: "assistant", content: "I listen." },
  { role: "user", content: "go on" },
];
const chat = { model: "default", max_tokens: 10, messages };

async function newKey(name: string, limits: object, models?: readonly string[]) {
  const body = { name, limits, ...(models && { models: [...models] }) };
  return server.client.createGatewayKey({ body });
}

async function spentBy(keyId: string) {
  const { calls } = await server.client.gatewayCalls({ query: { keyId, limit: 100 } });
  return calls.map(({ outcome, promptTokens, answerTokens, costUsd }) => ({
    outcome,
    promptTokens,
    answerTokens,
    costUsd,
  }));
}

test("what a conversation's steps cost in its log is what the gateway's books say, also after a restart", async () => {
  const id = await startConversation(server.client, { backend: "process", task: "say hello" });
  const { outcome, log } = await runEnd(server.client, id);
  const steps = eventsOf(log, "step.ended");
  const logged = steps.reduce((sum, { costUsd }) => sum + costUsd, 0);
  const rowOf = async () => {
    const { rows } = await server.client.gatewaySpend({ query: { by: "conversation", conversationId: id } });
    return rows.map(({ group, calls, costUsd, promptTokens }) => ({ group, calls, costUsd, promptTokens }));
  };

  expect(outcome).toBe("done");
  expect(steps).toHaveLength(2);
  expect(logged).toBeCloseTo(2 * CALL_USD, 12);
  expect(await rowOf()).toEqual([{ group: id, calls: 2, costUsd: logged, promptTokens: 40 }]);
  await server.crash();
  server = await server.restart();
  expect(await rowOf()).toEqual([{ group: id, calls: 2, costUsd: logged, promptTokens: 40 }]);
});

test("a key asks in each format, streamed or not, and each call is counted to the token", async () => {
  const { key, info } = await newKey("formats", {}, ["default"]);
  const text = { role: "user", content: "hello" };
  const asks = [
    { path: "/v1/chat/completions", body: chat },
    { path: "/v1/chat/completions", body: { ...chat, stream: true } },
    { path: "/v1/messages", body: chat },
    { path: "/v1/messages", body: { ...chat, stream: true } },
    { path: "/v1/responses", body: { model: "default", max_output_tokens: 10, input: [text, messages[1], text] } },
  ];
  for (const ask of asks) {
    const answer = await post({ ...ask, key });
    expect([ask.path, answer.status]).toEqual([ask.path, 200]);
    expect(await answer.text()).toContain("All is done.");
  }
  const counted = { outcome: "ok", promptTokens: 20, answerTokens: 10, costUsd: CALL_USD };
  await expect.poll(() => spentBy(info.id)).toEqual(asks.map(() => counted));
});

test("no key, a wrong one and a revoked one are refused, the last at once; other models are not this key's", async () => {
  const { key, info } = await newKey("short-lived", {}, ["default"]);
  const problem = async (ask: Ask) => {
    const answer = await post(ask);
    const { error } = (await answer.json()) as { error: { type: string } };
    return [answer.status, answer.headers.get("x-handrail-error"), error.type];
  };
  const path = "/v1/chat/completions";
  expect(await problem({ path, key: "sk-wrong", body: chat })).toEqual([401, "key_invalid", "token_not_found_in_db"]);
  expect(await problem({ path, key, body: { ...chat, model: "other" } })).toEqual([
    403,
    "model_forbidden",
    "key_model_access_denied",
  ]);
  expect((await post({ path, key, body: chat })).status).toBe(200);
  await server.client.revokeGatewayKey({ params: { id: info.id } });
  expect((await problem({ path, key, body: chat }))[0]).toBe(401);
});

test("a key of a LiteLLM goes on working once it is taken over, with its limits, and no other does", async () => {
  const key = "sk-made-by-litellm";
  const token = createHash("sha256").update(key).digest("hex");
  const rows = { keys: [{ token, key_alias: "old", models: ["default"], rpm_limit: 1 }, { token: "sk-plain" }] };
  const path = "/v1/chat/completions";
  expect((await post({ path, key, body: chat })).status).toBe(401);
  const take = () => server.client.importGatewayKeys({ body: { export: JSON.stringify(rows) } });
  const left = ["The key without a name is not kept as a hash."];
  expect(await take()).toEqual({ keys: 1, known: 0, users: 0, teams: 0, left });
  expect(await take()).toEqual({ keys: 0, known: 1, users: 0, teams: 0, left });
  expect((await post({ path, key, body: chat })).status).toBe(200);
  expect((await post({ path, key, body: chat })).status).toBe(429);
});

test("64 calls at a time against a budget of ten: at most ten's worth is let through, and the refusals name the budget", async () => {
  // What one call may cost at most: its prompt as estimated, and ten tokens of answer.
  const probe = await newKey("probe", { budget: { usd: 1, period: "total" } });
  expect((await post({ path: "/v1/chat/completions", key: probe.key, body: chat })).status).toBe(200);
  const budget = { usd: 10 * CALL_USD, period: "total" } as const;
  const { key, info } = await newKey("ten", { budget });
  const answers = await Promise.all(
    Array.from({ length: 64 }, () => post({ path: "/v1/chat/completions", key, body: chat })),
  );
  const statuses = answers.map(({ status }) => status);
  const served = statuses.filter((status) => status === 200).length;
  const refused = answers.find(({ status }) => status === 429);

  expect(served).toBeGreaterThan(0);
  expect(served).toBeLessThanOrEqual(10);
  expect(statuses.filter((status) => status !== 200 && status !== 429)).toEqual([]);
  expect(refused?.headers.get("x-handrail-error")).toBe("budget_exceeded");
  expect(await refused?.text()).toContain("budget");
  await expect.poll(async () => (await spentBy(info.id)).length).toBe(served);
  const spent = (await spentBy(info.id)).reduce((sum, { costUsd }) => sum + costUsd, 0);
  expect(spent).toBeLessThanOrEqual(budget.usd);
});
