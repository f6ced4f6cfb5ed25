import { type ScriptedModel, startScriptedModel } from "@handrail/scripted-model/scripted-model";
import type { Fault, Turn } from "@handrail/scripted-model/script";
import { afterEach, expect, test } from "vitest";
import { type Answer, gather } from "../codecs/answer.ts";
import { CODECS } from "../codecs/codec.ts";
import type { ChatFormat } from "../ports/format.ts";
import type { LaneAnswer } from "../ports/lane.ts";
import { bodyOf, fetchSend, laneCall, piecesOf } from "../testing/lane-calls.ts";
import { eventsOf, translatedLane } from "./translated.ts";

const open: ScriptedModel[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((model) => model.close()));
});

async function start(...turns: Turn[]): Promise<ScriptedModel> {
  const model = await startScriptedModel({ script: { name: "one", turns } });
  open.push(model);
  return model;
}

const FORMATS: readonly ChatFormat[] = ["chat", "messages", "responses"];
const PAIRS = FORMATS.flatMap((client) =>
  FORMATS.filter((other) => other !== client).map((provider) => [client, provider] as const),
);
const QUESTION: Record<ChatFormat, Record<string, unknown>> = {
  chat: { model: "n", messages: [{ role: "user", content: "hi" }], max_tokens: 99 },
  messages: { model: "n", max_tokens: 99, messages: [{ role: "user", content: "hi" }] },
  responses: { model: "n", input: "hi", max_output_tokens: 99, include: ["reasoning.encrypted_content"] },
};
const USAGE = { inputTokens: 100, outputTokens: 30, cacheReadTokens: 40, cacheWriteTokens: 0, reasoningTokens: 0 };
const TURN: Turn = {
  text: "yes",
  calls: [
    { tool: "read", rawArguments: '{"path": "ä", "n": 7}' },
    { tool: "read", rawArguments: "{}" },
  ],
  usage: USAGE,
  chunkSize: 2,
};

type Asking = { readonly client: ChatFormat; readonly provider: ChatFormat; readonly stream: boolean };

async function ask(model: ScriptedModel, { client, provider, stream }: Asking, more = {}): Promise<LaneAnswer> {
  const lane = translatedLane({ send: fetchSend, speaks: () => [provider], now: () => 1000 });
  const body = { ...QUESTION[client], ...(stream ? { stream: true } : {}), ...more };
  const call = laneCall(client, body, { baseUrl: model.anthropicBaseUrl, provider: "litellm" });
  return lane(call, new AbortController().signal);
}

async function read(format: ChatFormat, answer: LaneAnswer, stream: boolean): Promise<Answer> {
  if (!stream) return gather(CODECS[format].readAnswer(JSON.parse(await bodyOf(answer))));
  const batches = await Array.fromAsync(eventsOf(format, piecesOf(answer)));
  return gather(batches.flat());
}

for (const [client, provider] of PAIRS) {
  for (const stream of [true, false]) {
    const way = stream ? "streams" : "answers";
    test(`a model behind ${provider} ${way} a client of ${client} with text, calls and usage`, async () => {
      const model = await start(TURN);
      const more = client === "chat" && stream ? { stream_options: { include_usage: true } } : {};
      const answer = await ask(model, { client, provider, stream }, more);
      const read_ = await read(client, answer, stream);
      const whole = !stream && [client, provider].includes("messages");
      const first = whole ? '{"path":"ä","n":7}' : '{"path": "ä", "n": 7}';
      expect(read_).toMatchObject({
        model: "m",
        finish: "calls",
        parts: [
          { type: "text", text: "yes" },
          { type: "call", name: "read", arguments: first },
          { type: "call", name: "read", arguments: "{}" },
        ],
        usage: { inputTokens: 60, cacheReadTokens: 40, outputTokens: 30 },
      });
      expect(answer.meter.usage()).toEqual(read_.usage);
      expect(answer.meter.complete()).toBe(true);
      expect(model.requests()[0]?.body).toMatchObject({ model: "m" });
    });
  }

  test(`a refusal behind ${provider} comes to a client of ${client} with its status, in its words`, async () => {
    const fault: Fault = { type: "status", status: 429, retryAfterSeconds: 3, message: "slow down" };
    const answer = await ask(await start({ faults: [fault] }), { client, provider, stream: true });
    const body = JSON.parse(await bodyOf(answer)) as object;
    const error = { type: "rate_limit_error", message: "slow down" };
    expect(answer.status).toBe(429);
    expect(answer.headers["retry-after"]).toBe("3");
    expect(body).toEqual(
      client === "messages" ? { type: "error", error } : { error: { ...error, param: null, code: "429" } },
    );
  });

  test(`an error in the middle of ${provider} is an error event of ${client}, and the answer is not complete`, async () => {
    const fault: Fault = { type: "streamError", afterEvents: provider === "chat" ? 2 : 6, message: "too busy" };
    const answer = await ask(await start({ text: "a longer text", chunkSize: 2, faults: [fault] }), {
      client,
      provider,
      stream: true,
    });
    const text = await bodyOf(answer);
    expect(text).toContain("too busy");
    expect(answer.meter.complete()).toBe(false);
    expect(answer.meter.characters()).toBeGreaterThan(0);
  });

  test(`a cut stream of ${provider} ends early for a client of ${client}`, async () => {
    const model = await start({ text: "a".repeat(200), faults: [{ type: "cut", afterBytes: 1500 }] });
    const answer = await ask(model, { client, provider, stream: true });
    await expect(bodyOf(answer)).rejects.toThrow();
    expect(answer.meter.complete()).toBe(false);
  });
}

test("thoughts come back to the provider that sealed them, whoever the client is", async () => {
  const turn: Turn = { reasoning: "hm hm", text: "yes" };
  for (const [client, provider] of PAIRS.filter(([, provider]) => provider !== "chat")) {
    const model = await start(turn, { text: "again" });
    const asked = provider === "responses" ? { ...effort(client) } : {};
    const answer = await ask(model, { client, provider, stream: false }, asked);
    const said = JSON.parse(await bodyOf(answer)) as Record<string, unknown>;
    await ask(model, { client, provider, stream: false }, { ...asked, ...history(client, said) });
    const sent = JSON.stringify(model.requests()[1]?.body);
    const seal = provider === "messages" ? "c2NyaXB0ZWQtc2lnbmF0dXJl" : "c2NyaXB0ZWQtZW5jcnlwdGVkLXJlYXNvbmluZw==";
    expect([client, provider, sent]).toEqual([client, provider, expect.stringContaining(seal) as string]);
    expect(sent).toContain("hm hm");
    expect(sent).not.toContain("hr1.");
  }
});

function effort(client: ChatFormat): object {
  if (client === "chat") return { reasoning_effort: "low" };
  return client === "messages" ? { output_config: { effort: "low" } } : { reasoning: { effort: "low" } };
}

/** The history as a client would send it: the answer as it came, and another question. */
function history(client: ChatFormat, said: Record<string, unknown>): object {
  const user = { role: "user", content: "more" };
  if (client === "chat") {
    const [{ message }] = said["choices"] as [{ message: object }];
    return { messages: [user, message, user] };
  }
  if (client === "messages") return { messages: [user, { role: "assistant", content: said["content"] }, user] };
  return { input: [user, ...(said["output"] as object[]), user] };
}

test("numbers of arguments stay as they were written, also where a format holds them as values", async () => {
  const model = await start({ text: "yes" });
  const lane = translatedLane({ send: fetchSend, speaks: () => ["chat"] });
  const body = `{"model":"n","max_tokens":9,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[
    {"type":"tool_use","id":"t1","name":"f","input":{"a":1.0,"b":12345678901234567890}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"ok"}]}]}`;
  const parsed = JSON.parse(body) as Record<string, unknown>;
  const call = { ...laneCall("messages", parsed, { baseUrl: model.anthropicBaseUrl }), body: Buffer.from(body) };
  await lane(call, new AbortController().signal).then(bodyOf);
  expect(model.requests()[0]?.text).toContain('"arguments":"{\\"a\\":1.0,\\"b\\":12345678901234567890}"');
});

test("a schema for the answer and a picture reach every provider", async () => {
  const schema = { type: "object", properties: { a: { type: "string" } } };
  const image = { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } };
  for (const provider of ["messages", "responses"] as const) {
    const model = await start({ text: '{"a":"b"}' });
    const answer = await ask(
      model,
      { client: "chat", provider, stream: false },
      {
        messages: [{ role: "user", content: [{ type: "text", text: "see" }, image] }],
        response_format: { type: "json_schema", json_schema: { name: "x", schema, strict: true } },
      },
    );
    expect((await read("chat", answer, false)).parts).toEqual([{ type: "text", text: '{"a":"b"}' }]);
    const sent = model.requests()[0]?.body as Record<string, unknown>;
    expect(sent).toMatchObject(
      provider === "messages"
        ? {
            output_config: { format: { type: "json_schema", schema } },
            messages: [{ content: [{}, { source: { type: "base64", media_type: "image/png" } }] }],
          }
        : {
            text: { format: { type: "json_schema", name: "x", schema, strict: true } },
            input: [{ content: [{}, { type: "input_image", image_url: image.image_url.url }] }],
          },
    );
  }
});
