import { startScriptedModel } from "@handrail/scripted-model/scripted-model";
import { expect, test } from "vitest";
import { bodyOf, fetchSend, laneCall } from "../testing/lane-calls.ts";
import { countLane } from "./count-tokens.ts";

const BODY = { model: "n", system: "s".repeat(40), messages: [{ role: "user", content: "a".repeat(400) }] };

test("a provider of Messages counts itself, and is asked for its own model", async () => {
  const model = await startScriptedModel({ script: { name: "one", turns: [{ usage: { inputTokens: 123 } }] } });
  try {
    const lane = countLane({ send: fetchSend, speaks: () => ["messages"] });
    const call = laneCall("messages", BODY, { baseUrl: model.anthropicBaseUrl, model: "claude" });
    const answer = await lane(call, new AbortController().signal);
    expect([answer.headers["x-handrail-estimated"], await bodyOf(answer)]).toEqual([undefined, '{"input_tokens":123}']);
    expect(model.requests().map(({ path, body }) => [path, (body as { model: string }).model])).toEqual([
      ["/v1/messages/count_tokens", "claude"],
    ]);
  } finally {
    await model.close();
  }
});

test("for other providers the count is an estimate and says so; a picture's bytes do not count as text", async () => {
  const lane = countLane({ send: fetchSend, speaks: () => ["chat"] });
  const count = async (body: Record<string, unknown>) => {
    const answer = await lane(laneCall("messages", body, {}), new AbortController().signal);
    expect(answer.headers["x-handrail-estimated"]).toBe("true");
    return (JSON.parse(await bodyOf(answer)) as { input_tokens: number }).input_tokens;
  };
  expect(await count(BODY)).toBe(120);
  const source = { type: "base64", media_type: "image/png", data: "A".repeat(100_000) };
  expect(await count({ messages: [{ role: "user", content: [{ type: "image", source }] }] })).toBeLessThan(2_000);
});
