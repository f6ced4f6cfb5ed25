import { otlpReceiver } from "@handrail/gateway/testing/otlp-receiver";
import { startScriptedModel } from "@handrail/scripted-model/scripted-model";
import { expect, test } from "vitest";
import { serverFixture } from "../../testing/server-fixture.ts";

test("the calls of the server's gateway are traced to the receiver that the environment names", async () => {
  const receiver = await otlpReceiver();
  const script = { name: "up", turns: [{ text: "Hello", usage: { inputTokens: 100, outputTokens: 20 } }] };
  const up = await startScriptedModel({ script });
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, LLM_MODEL: "up", LLM_BASE_URL: up.baseUrl };
  const server = await serverFixture({ env });
  try {
    const url = `http://${await server.listen()}`;
    const headers = { authorization: server.bearer.authorization, "content-type": "application/json" };
    const body = JSON.stringify({ name: "ci", limits: {} });
    const made = await fetch(`${url}/api/gateway/keys`, { method: "POST", headers, body });
    const { key } = (await made.json()) as { readonly key: string };
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { ...headers, authorization: `Bearer ${key}` },
      body: JSON.stringify({ model: "default", messages: [{ role: "user", content: "hi" }] }),
    });
    expect(answer.status).toBe(200);
    await answer.text();
    // What is not sent yet is sent at the end.
    await server.close();
    const call = receiver.spans().find(({ kind }) => kind === 2);
    const tried = receiver.spans().find(({ kind }) => kind === 3);
    expect(call).toMatchObject({
      name: "chat default",
      attributes: { "handrail.call_id": answer.headers.get("x-litellm-call-id"), "gen_ai.usage.output_tokens": 20 },
    });
    expect(tried).toMatchObject({ name: "chat up", traceId: call?.traceId, parentSpanId: call?.spanId });
    expect(up.requests()[0]?.headers["traceparent"]).toBe(`00-${call?.traceId}-${tried?.spanId}-01`);
  } finally {
    await Promise.all([up.close(), receiver.close()]);
  }
});
