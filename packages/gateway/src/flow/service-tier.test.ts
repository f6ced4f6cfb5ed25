import { afterEach, expect, test } from "vitest";
import { priceList } from "../prices/price-list.ts";
import { startGateway } from "../testing/gateway-fixture.ts";
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

const USAGE = { prompt_tokens: 1_000_000, completion_tokens: 0 };
const messages = [{ role: "user", content: "hi" }];

/** A gateway before a provider of OpenAI's that gives each call the service that it asks for. */
async function gateway() {
  const { baseUrl, close } = await handWrittenProvider((response, body) => {
    const { stream, service_tier } = JSON.parse(body) as { readonly stream?: boolean; readonly service_tier: string };
    const told = chatEvent({ choices: [], usage: USAGE, service_tier });
    const whole = {
      id: "c",
      choices: [{ message: { content: "Hi" }, finish_reason: "stop" }],
      usage: USAGE,
      service_tier,
    };
    response.writeHead(200, { "content-type": stream ? "text/event-stream" : "application/json" });
    response.end(stream ? textEvent("Hi") + finishEvent + told + DONE_EVENT : JSON.stringify(whole));
  });
  const way = await startGateway({
    deployments: [
      {
        baseUrl,
        provider: "openai",
        formats: ["chat"],
        model: "gpt-4o",
        prices: { inputUsdPerMillion: 1, outputUsdPerMillion: 1 },
      },
    ],
    prices: priceList(),
  });
  ends.push(close, () => way.close());
  return way;
}

for (const stream of [false, true]) {
  test(`a call is billed by the service that its provider gave it, ${stream ? "streamed" : "whole"}, in its own format or another`, async () => {
    const way = await gateway();
    for (const service_tier of ["default", "flex", "priority"]) {
      const chat = await way.post("/v1/chat/completions", { model: "m", messages, stream, service_tier });
      const other = await way.post("/v1/responses", { model: "m", input: "hi", stream, service_tier });
      expect([chat.status, other.status, other.headers.get("x-handrail-lane")]).toEqual([200, 200, "translated"]);
      await Promise.all([chat.text(), other.text()]);
    }
    expect(way.books.entries().map(({ costUsd }) => costUsd)).toEqual([1, 1, 0.5, 0.5, 2, 2]);
  });
}

test("a call that wants to go first has twice as much reserved", async () => {
  const way = await gateway();
  await way.books.keys.saveOwner({
    kind: "user",
    id: "ann",
    name: "Ann",
    limits: { budget: { usd: 0.000_15, period: "total" } },
  });
  const ask = { model: "m", messages, max_tokens: 100 };
  expect((await way.post("/v1/chat/completions", { ...ask, service_tier: "priority" })).status).toBe(429);
  expect((await way.post("/v1/chat/completions", { ...ask, service_tier: "flex" })).status).toBe(200);
});
