import { afterEach, expect, test } from "vitest";
import type { Turn } from "@handrail/scripted-model/script";
import type { ScriptedModel } from "@handrail/scripted-model/scripted-model";
import type { Deployment } from "../ports/deployment.ts";
import { bedrockServer, EVENT_STREAM, frames } from "../testing/bedrock-server.ts";
import { scripted, startGateway } from "../testing/gateway-fixture.ts";

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const TURN: Turn = { text: "Hello", usage: { inputTokens: 100, outputTokens: 20 } };
const USER = { role: "user", content: "hi" };
const ASKED = {
  "/v1/chat/completions": { model: "m", messages: [USER] },
  "/v1/messages": { model: "m", max_tokens: 50, messages: [USER] },
  "/v1/responses": { model: "m", input: "hi" },
};

async function gatewayBefore(place: Partial<Deployment>) {
  const way = await startGateway({ deployments: [{ id: "d", apiKey: "sk-provider", ...place }] });
  ends.push(() => way.close());
  return way;
}

const PLACES: Readonly<Record<string, (up: ScriptedModel) => Partial<Deployment>>> = {
  google: ({ googleBaseUrl }) => ({ provider: "google", baseUrl: googleBaseUrl }),
  vertex: ({ googleBaseUrl }) => ({ provider: "vertex", baseUrl: googleBaseUrl }),
  mistral: ({ baseUrl }) => ({ provider: "mistral", baseUrl }),
};

for (const [name, placeOf] of Object.entries(PLACES)) {
  test(`${name} answers each format by its own library, streamed or not, and is counted`, async () => {
    const up = await scripted(TURN);
    ends.push(() => up.close());
    const way = await gatewayBefore(placeOf(up));
    for (const [path, body] of Object.entries(ASKED)) {
      for (const stream of [false, true]) {
        const answer = await way.post(path, { ...body, stream });
        const text = await answer.text();
        expect([answer.status, answer.headers.get("x-handrail-lane")]).toEqual([200, "sdk"]);
        expect(text.replaceAll(/[^A-Za-z]/g, "")).toMatch(/H.*e.*l.*l.*o/);
      }
    }
    // Mistral tells its usage unasked, the scripted model only those who ask, as OpenAI does.
    const paid = name === "mistral" ? { estimated: true } : { usage: TURN.usage, costUsd: 0.00012, estimated: false };
    const entry = { outcome: "ok", provider: name, ...paid };
    expect(way.books.entries()).toMatchObject(Array.from({ length: 6 }, () => entry));
  });
}

test("bedrock answers by its own library, from its own stream", async () => {
  const events = frames(
    ["messageStart", { role: "assistant" }],
    ["contentBlockDelta", { contentBlockIndex: 0, delta: { text: "Hello" } }],
    ["contentBlockStop", { contentBlockIndex: 0 }],
    ["messageStop", { stopReason: "end_turn" }],
    ["metadata", { usage: { inputTokens: 100, outputTokens: 20, totalTokens: 120 } }],
  );
  const up = await bedrockServer(200, events, EVENT_STREAM);
  ends.push(() => up.close());
  const way = await gatewayBefore({ provider: "bedrock", baseUrl: up.baseUrl, region: "eu-central-1" });
  const answer = await way.post("/v1/chat/completions", ASKED["/v1/chat/completions"]);
  expect(await answer.json()).toMatchObject({ choices: [{ message: { content: "Hello" } }] });
  expect(way.books.entries()).toMatchObject([{ outcome: "ok", provider: "bedrock", costUsd: 0.00012 }]);
});

test("Google's OpenAI-compatible API gets the client's bytes, as all that speak its format", async () => {
  const up = await scripted(TURN);
  ends.push(() => up.close());
  const way = await gatewayBefore({ provider: "google", formats: ["chat"], baseUrl: up.baseUrl });
  const answer = await way.post("/v1/chat/completions", ASKED["/v1/chat/completions"]);
  expect([answer.status, answer.headers.get("x-handrail-lane")]).toEqual([200, "pass-through"]);
});

test("a provider's library is asked again after what may pass, and what may be billed counts", async () => {
  const faults = [{ type: "status", status: 500 } as const, { type: "refused" } as const];
  const up = await scripted({ ...TURN, faults });
  ends.push(() => up.close());
  const way = await gatewayBefore({ provider: "google", baseUrl: up.googleBaseUrl });
  const answer = await way.post("/v1/chat/completions", ASKED["/v1/chat/completions"]);
  expect([answer.status, answer.headers.get("x-litellm-attempted-retries")]).toEqual([200, "2"]);
  const inputTokens = Math.ceil(JSON.stringify(ASKED["/v1/chat/completions"]).length / 4);
  expect(way.books.entries()).toMatchObject([{ outcome: "ok", unanswered: { tries: 1, inputTokens } }]);
});
