import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { scripted, startGateway } from "../testing/gateway-fixture.ts";
import { openTraces } from "./open-traces.ts";
import { traceSettings } from "./trace-settings.ts";

type Attribute = { readonly key: string; readonly value: Readonly<Record<string, unknown>> };
type Span = {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly Attribute[];
};

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** A receiver of OTLP over HTTP. */
async function receiver(answers: boolean) {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    request.setEncoding("utf8");
    let body = "";
    request.on("data", (part: string) => (body += part));
    request.on("end", () => {
      bodies.push(body);
      if (answers) response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  const spans = () =>
    bodies.flatMap((body) => {
      const { resourceSpans } = JSON.parse(body) as {
        readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[];
      };
      return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
    });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies, spans };
}

async function tracedGateway(url: string) {
  const settings = traceSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" });
  const traces = await openTraces(settings, { log: { warn: () => undefined } });
  const up = await scripted({ text: "a secret answer", usage: { inputTokens: 100, outputTokens: 20 } });
  const way = await startGateway({ deployments: [{ baseUrl: up.baseUrl }], ...traces.parts });
  ends.push(
    () => up.close(),
    () => way.close(),
  );
  return { traces, up, way };
}

const CHAT = "/v1/chat/completions";
const ASK = { model: "m", messages: [{ role: "user", content: "a secret question" }] };
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";

const valueOf = (span: Span | undefined, key: string) =>
  Object.values(span?.attributes.find((one) => one.key === key)?.value ?? {})[0];

test("a call is a span in the client's trace, with one below for its try that the provider goes on with", async () => {
  const { url, bodies, spans } = await receiver(true);
  const { traces, up, way } = await tracedGateway(url);
  const answer = await way.post(CHAT, ASK, { traceparent: `00-${TRACE}-${PARENT}-01` });
  await answer.text();
  await way.gateway.close();
  await traces.close(5000);
  const call = spans().find(({ kind }) => kind === 2);
  const tried = spans().find(({ kind }) => kind === 3);
  expect(spans()).toHaveLength(2);
  expect([call?.name, call?.traceId, call?.parentSpanId]).toEqual(["chat m", TRACE, PARENT]);
  expect([tried?.name, tried?.traceId, tried?.parentSpanId]).toEqual(["chat up", TRACE, call?.spanId]);
  expect(up.requests()[0]?.headers["traceparent"]).toBe(`00-${TRACE}-${tried?.spanId}-01`);
  expect(valueOf(call, "handrail.call_id")).toBe(answer.headers.get("x-litellm-call-id"));
  const usage = ["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"].map((key) => Number(valueOf(call, key)));
  expect(usage).toEqual([100, 20]);
  expect(bodies.join("")).not.toContain("secret");
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
