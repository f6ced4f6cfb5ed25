import { afterEach, expect, test } from "vitest";
import type { Turn } from "@handrail/scripted-model/script";
import type { ScriptedModel } from "@handrail/scripted-model/scripted-model";
import type { Deployment } from "../ports/deployment.ts";
import { scripted, startGateway } from "../testing/gateway-fixture.ts";
import { otlpReceiver } from "../testing/otlp-receiver.ts";
import { openTraces } from "./open-traces.ts";
import { traceSettings } from "./trace-settings.ts";

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function receiver(answers?: boolean) {
  const made = await otlpReceiver(answers);
  ends.push(() => made.close());
  return made;
}

const TURN: Turn = { text: "a secret answer", usage: { inputTokens: 100, outputTokens: 20 } };
type Traced = {
  readonly protocol?: "http/json" | "http/protobuf";
  readonly turn?: Turn;
  readonly place?: (up: ScriptedModel) => Partial<Deployment>;
};
const beside = ({ baseUrl }: ScriptedModel) => ({ baseUrl });

async function tracedGateway(url: string, { protocol = "http/json", turn = TURN, place = beside }: Traced = {}) {
  const settings = traceSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: protocol });
  const traces = await openTraces(settings, { log: { warn: () => undefined } });
  const up = await scripted(turn);
  const way = await startGateway({ deployments: [place(up)], ...traces.parts });
  ends.push(
    () => up.close(),
    () => way.close(),
  );
  const ended = async () => {
    await way.gateway.close();
    await traces.close(5000);
  };
  return { traces, up, way, ended };
}

const CHAT = "/v1/chat/completions";
const ASK = { model: "m", messages: [{ role: "user", content: "a secret question" }] };
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";

for (const protocol of ["http/json", "http/protobuf"] as const) {
  test(`${protocol}: a call is a span in the client's trace, with one below for its try that the provider goes on with`, async () => {
    const { url, bodies, contentTypes, spans } = await receiver();
    const { up, way, ended } = await tracedGateway(url, { protocol });
    const answer = await way.post(CHAT, ASK, { traceparent: `00-${TRACE}-${PARENT}-01` });
    await answer.text();
    await ended();
    const call = spans().find(({ kind }) => kind === 2);
    const tried = spans().find(({ kind }) => kind === 3);
    expect(spans()).toHaveLength(2);
    expect(call).toMatchObject({ name: "chat m", traceId: TRACE, parentSpanId: PARENT });
    expect(tried).toMatchObject({ name: "chat up", traceId: TRACE, parentSpanId: call?.spanId });
    expect(up.requests()[0]?.headers["traceparent"]).toBe(`00-${TRACE}-${tried?.spanId}-01`);
    expect(call?.attributes).toMatchObject({
      "handrail.call_id": answer.headers.get("x-litellm-call-id"),
      "handrail.cost_usd": 0.00012,
      "handrail.usage_estimated": false,
      "gen_ai.usage.input_tokens": 100,
      "gen_ai.usage.output_tokens": 20,
    });
    expect(new Set(contentTypes)).toEqual(
      new Set([protocol === "http/json" ? "application/json" : "application/x-protobuf"]),
    );
    expect(bodies.join("")).not.toContain("secret");
  });
}

test("each try has a span, those that failed with what was wrong", async () => {
  const { url, spans } = await receiver();
  const faults = [{ type: "status", status: 500 } as const, { type: "refused" } as const];
  const { way, ended } = await tracedGateway(url, { protocol: "http/protobuf", turn: { ...TURN, faults } });
  await (await way.post(CHAT, ASK)).text();
  await ended();
  const call = spans().find(({ kind }) => kind === 2);
  const tries = spans().filter(({ kind }) => kind === 3);
  expect(new Set(tries.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([call?.spanId]));
  const told = tries.map(({ attributes }) => [attributes["error.type"], attributes["http.response.status_code"]]);
  expect(told).toEqual([
    ["model_overloaded", 500],
    ["model_unreachable", undefined],
    [undefined, 200],
  ]);
  expect(call?.attributes).toMatchObject({
    "handrail.retries": 2,
    "handrail.outcome": "ok",
    "handrail.usage_estimated": true,
  });
  expect(call?.attributes).not.toHaveProperty("error.type");
});

test("a call that goes by a provider's own library is traced as any other", async () => {
  const { url, spans } = await receiver();
  const place = (up: ScriptedModel) =>
    ({ provider: "google", baseUrl: up.googleBaseUrl, apiKey: "sk-google" }) as const;
  const { up, way, ended } = await tracedGateway(url, { place });
  await (await way.post(CHAT, ASK)).text();
  await ended();
  const call = spans().find(({ kind }) => kind === 2);
  const tried = spans().find(({ kind }) => kind === 3);
  expect(call?.attributes).toMatchObject({
    "handrail.lane": "sdk",
    "gen_ai.provider.name": "gcp.gemini",
    "gen_ai.usage.input_tokens": 100,
  });
  expect(tried).toMatchObject({ name: "chat up", parentSpanId: call?.spanId, traceId: call?.traceId });
  expect(up.requests()[0]?.headers["traceparent"]).toBe(`00-${call?.traceId}-${tried?.spanId}-01`);
});

test("a receiver that never answers, or is not there, keeps no call and no end waiting", async () => {
  const slow = await receiver(false);
  for (const url of [slow.url, "http://127.0.0.1:1"]) {
    const { traces, way } = await tracedGateway(url);
    expect((await way.post(CHAT, ASK)).status).toBe(200);
    await traces.close(1);
  }
});

test("nothing is traced until a receiver is named", async () => {
  const traces = await openTraces(traceSettings({}), { log: { warn: () => undefined } });
  expect(traces.parts).toEqual({});
  const message = "OTEL_EXPORTER_OTLP_PROTOCOL is not valid";
  const grpc = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://a", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" };
  expect(() => traceSettings(grpc)).toThrow(message);
});
