import { afterEach, expect, test } from "vitest";
import type { Turn } from "@handrail/scripted-model/script";
import { type FixtureOptions, type GatewayFixture, scripted, startGateway } from "./testing/gateway-fixture.ts";

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function model(...turns: Turn[]) {
  const started = await scripted(...turns);
  ends.push(() => started.close());
  return started;
}

async function gateway(options: FixtureOptions): Promise<GatewayFixture> {
  const started = await startGateway(options);
  ends.push(() => started.close());
  return started;
}

const USAGE = { inputTokens: 100, outputTokens: 20, cacheReadTokens: 40, cacheWriteTokens: 0, reasoningTokens: 5 };
const TURN: Turn = { text: "Hello there", usage: USAGE, chunkSize: 3 };
const ASK = { model: "m", messages: [{ role: "user", content: "hi" }] };
const COUNTED = { inputTokens: 60, cacheReadTokens: 40, outputTokens: 15, reasoningTokens: 5 };

/** The scripted Messages does not tell reasoning apart. */
const COUNTED_IN_MESSAGES = { ...COUNTED, outputTokens: 20, reasoningTokens: 0 };

const QUESTIONS = {
  "/v1/chat/completions": ASK,
  "/v1/messages": { ...ASK, max_tokens: 100 },
  "/v1/responses": { model: "m", input: "hi" },
} as const;

for (const [path, question] of Object.entries(QUESTIONS)) {
  for (const stream of [false, true]) {
    test(`${path} ${stream ? "streams" : "answers"} the provider's very bytes, and counts what was used`, async () => {
      const up = await model(TURN);
      const way = await gateway({
        deployments: [{ provider: "litellm", baseUrl: up.anthropicBaseUrl, apiKey: "sk-up" }],
      });
      const body = { ...question, stream, stream_options: { include_usage: true } };
      const direct = await fetch(up.anthropicBaseUrl + path, {
        method: "POST",
        body: JSON.stringify({ ...body, model: "up" }),
      });
      const answer = await way.post(path, body);
      expect(answer.status).toBe(200);
      expect(await answer.text()).toBe(await direct.text());
      expect(answer.headers.get("x-handrail-lane")).toBe("pass-through");
      expect(answer.headers.get("x-litellm-model-id")).toBe("d1");
      if (!stream) expect(answer.headers.get("x-litellm-response-cost")).toBe("0.00012");
      expect(way.books.open()).toEqual([]);
      const usage = path === "/v1/messages" ? COUNTED_IN_MESSAGES : COUNTED;
      expect(way.books.entries()).toMatchObject([
        { outcome: "ok", usage, costUsd: 0.00012, estimated: false, priced: true, deploymentId: "d1", status: 200 },
      ]);
      expect(up.requests()[1]).toMatchObject({
        headers: { authorization: "Bearer sk-up", "accept-encoding": "identity" },
        text: JSON.stringify({ ...body, model: "up" }),
      });
    });
  }
}

test("a stream whose client did not ask for usage gets none, and is counted all the same", async () => {
  const up = await model(TURN);
  const way = await gateway({ deployments: [{ baseUrl: up.baseUrl }] });
  const body = { ...ASK, stream: true };
  const direct = await fetch(`${up.baseUrl}/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ ...body, model: "up" }),
  });
  const answer = await way.post("/v1/chat/completions", body);
  const text = await answer.text();
  expect(text).toBe(await direct.text());
  expect(text).not.toContain('"usage"');
  expect(way.books.entries()).toMatchObject([{ outcome: "ok", usage: COUNTED, estimated: false }]);
});
