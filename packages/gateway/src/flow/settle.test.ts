import { expect, test, afterEach } from "vitest";
import { type GatewayFixture, startGateway } from "../testing/gateway-fixture.ts";
import {
  chatEvent,
  DONE_EVENT,
  finishEvent,
  handWrittenProvider,
  textEvent,
} from "../testing/hand-written-provider.ts";

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const CHAT = "/v1/chat/completions";
const ASK = { model: "m", messages: [{ role: "user", content: "hi" }] };

type Answer = { readonly headers?: Record<string, string>; readonly body: string };

/** A gateway before one provider that answers so, whole or streamed by how it begins, and drops the connection after. */
async function before(
  { headers = {}, body }: Answer,
  provider: "litellm" | "openrouter" = "litellm",
): Promise<GatewayFixture> {
  const { baseUrl, close } = await handWrittenProvider((response) => {
    const stream = body.startsWith("data:");
    response.writeHead(200, { "content-type": stream ? "text/event-stream" : "application/json", ...headers });
    response.write(body, () => (stream && !body.endsWith(DONE_EVENT) ? response.destroy() : response.end()));
  });
  const way = await startGateway({ deployments: [{ baseUrl, provider, maxRetries: 0 }] });
  ends.push(close, () => way.close());
  return way;
}

async function settled(answer: Answer, provider?: "litellm" | "openrouter") {
  const way = await before(answer, provider);
  const got = await way.post(CHAT, {
    ...ASK,
    stream: answer.body.startsWith("data:"),
    stream_options: { include_usage: true },
  });
  await got.text();
  return { entry: way.books.entries()[0], cost: got.headers.get("x-litellm-response-cost") };
}

const USAGE = { prompt_tokens: 100, completion_tokens: 20 };
const whole = (more: object = {}) =>
  JSON.stringify({ id: "up1", choices: [{ message: { content: "Hello" } }], usage: { ...USAGE, ...more } });

test("what a LiteLLM behind, or a provider in its usage, says that a call cost is believed before the list", async () => {
  const listed = 0.000_12;
  expect(await settled({ body: whole() })).toMatchObject({ cost: String(listed), entry: { costUsd: listed } });
  const headers = { "x-litellm-response-cost": "0.0123456789", "x-litellm-call-id": "their-call" };
  expect(await settled({ headers, body: whole() })).toMatchObject({
    cost: "0.0123456789",
    entry: { costUsd: 0.012_345_678_9, upstreamCallId: "their-call", estimated: false, priced: true },
  });
  expect(await settled({ body: whole({ cost: 0.5 }) }, "openrouter")).toMatchObject({
    cost: "0.5",
    entry: { costUsd: 0.5 },
  });
  // It says 0 where it does not know yet.
  const unknown = { "x-litellm-response-cost": "0" };
  expect((await settled({ headers: unknown, body: whole() })).entry?.costUsd).toBe(listed);
  for (const lie of ["-1", "NaN", "1e99"])
    expect((await settled({ headers: { "x-litellm-response-cost": lie }, body: whole() })).entry?.costUsd).toBe(listed);
});

test("a stream that breaks is counted as far as the provider said, and no less than what came", async () => {
  const text = "x".repeat(400);
  const told = chatEvent({
    choices: [{ index: 0, delta: { content: "" } }],
    usage: { prompt_tokens: 100, completion_tokens: 7 },
  });
  const some = await settled({ body: textEvent(text) + told });
  expect(some.entry).toMatchObject({
    outcome: "broken",
    estimated: true,
    usage: { inputTokens: 100, outputTokens: 100 },
  });
  const little = await settled({ body: textEvent("x".repeat(8)) + told });
  expect(little.entry).toMatchObject({
    outcome: "broken",
    estimated: true,
    usage: { inputTokens: 100, outputTokens: 7 },
  });
  const nothing = await settled({ body: textEvent(text) });
  expect(nothing.entry).toMatchObject({ outcome: "broken", estimated: true, usage: { outputTokens: 100 } });
  expect(nothing.entry?.usage.inputTokens).toBeGreaterThan(10);
});

test("an answer without usage is counted from its text, which is said", async () => {
  const stream = await settled({ body: textEvent("x".repeat(400)) + finishEvent + DONE_EVENT });
  expect(stream.entry).toMatchObject({ outcome: "ok", estimated: true, usage: { outputTokens: 100 } });
  const body = JSON.stringify({ id: "c", choices: [{ message: { content: "x".repeat(40), tool_calls: [] } }] });
  expect((await settled({ body })).entry).toMatchObject({
    outcome: "ok",
    estimated: true,
    usage: { outputTokens: 10 },
  });
});
