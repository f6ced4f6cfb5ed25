import { scriptedVector } from "@handrail/scripted-model/embeddings-format";
import type { Turn } from "@handrail/scripted-model/script";
import { type ScriptedModel, startScriptedModel } from "@handrail/scripted-model/scripted-model";
import { afterEach, expect, test } from "vitest";
import type { Deployment } from "../ports/deployment.ts";
import type { Format } from "../ports/format.ts";
import type { LaneAnswer } from "../ports/lane.ts";
import { sdkLoader } from "../sdk/sources.ts";
import { bodyOf, laneCall } from "../testing/lane-calls.ts";
import { FORMATS, history, QUESTION, read, TOOLS } from "../testing/questions.ts";
import { sdkLane } from "./sdk.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function start(...turns: Turn[]): Promise<ScriptedModel> {
  const model = await startScriptedModel({ script: { name: "one", turns } });
  open.push(model);
  return model;
}

const lane = sdkLane({ load: sdkLoader(), now: () => 1000 });
function ask(format: Format, body: Record<string, unknown>, deployment: Partial<Deployment>): Promise<LaneAnswer> {
  return lane(laneCall(format, body, deployment), new AbortController().signal);
}

const google = (model: ScriptedModel): Partial<Deployment> => ({
  provider: "google",
  model: "gemini-2.5-pro",
  baseUrl: model.googleBaseUrl,
  apiKey: "sk-google",
});

const TURN: Turn = {
  reasoning: "hm",
  text: "yes",
  calls: [
    { tool: "read", arguments: { path: "ä" } },
    { tool: "read", arguments: {} },
  ],
  usage: { inputTokens: 100, outputTokens: 30, cacheReadTokens: 40, reasoningTokens: 10, inputAudioTokens: 5 },
};
for (const format of FORMATS) {
  for (const stream of [true, false]) {
    test(`Gemini ${stream ? "streams" : "answers"} a client of ${format} with thoughts, text, calls and usage`, async () => {
      const model = await start(TURN);
      const answer = await ask(format, { ...QUESTION[format], ...TOOLS[format], stream }, google(model));
      const said = await read(format, answer, stream);
      expect(said.parts).toMatchObject([
        { type: "reasoning", text: "hm" },
        { type: "text", text: "yes" },
        { type: "call", name: "read", arguments: '{"path":"ä"}' },
        { type: "call", name: "read", arguments: "{}" },
      ]);
      // Messages counts audio as input.
      const told = format === "messages" ? { inputTokens: 60, inputAudioTokens: 0 } : {};
      expect(said).toMatchObject({ finish: "calls", usage: { ...answer.meter.usage(), ...told } });
      expect(answer.meter.usage()).toEqual({
        inputTokens: 55,
        inputAudioTokens: 5,
        cacheReadTokens: 40,
        cacheWriteTokens: 0,
        cacheWriteHourTokens: 0,
        outputTokens: 20,
        reasoningTokens: 10,
        outputAudioTokens: 0,
      });
      expect([answer.status, answer.lane, answer.meter.complete()]).toEqual([200, "sdk", true]);
    });
  }

  test(`a signature of Gemini comes back to it with its call from a client of ${format}`, async () => {
    const model = await start(TURN, { text: "done" });
    const asked = { ...QUESTION[format], ...TOOLS[format] };
    const said = JSON.parse(await bodyOf(await ask(format, asked, google(model)))) as Record<string, unknown>;
    const again = await ask(format, { ...asked, ...history(format, said) }, google(model));
    expect((await read(format, again, false)).parts).toEqual([{ type: "text", text: "done" }]);
    const { contents } = model.requests()[1]!.body as {
      contents: { role: string; parts: Record<string, unknown>[] }[];
    };
    const calls = contents.flatMap(({ parts }) => parts.filter((part) => "functionCall" in part));
    expect(calls.map(({ thoughtSignature }) => thoughtSignature)).toEqual([
      "c2NyaXB0ZWQtdGhvdWdodC1zaWduYXR1cmU=",
      undefined,
    ]);
    expect(JSON.stringify(contents)).not.toContain("__thought__");
    expect(contents.at(-1)?.parts.map((part) => Object.keys(part)[0])).toEqual([
      "functionResponse",
      "functionResponse",
    ]);
  });
}

test("a refusal of Google comes with its status and in the client's words", async () => {
  const model = await start({ faults: [{ type: "status", status: 429, retryAfterSeconds: 2, message: "quota" }] });
  const answer = await ask("messages", QUESTION.messages, google(model));
  expect([answer.status, answer.headers["retry-after"], JSON.parse(await bodyOf(answer))]).toEqual([
    429,
    "2",
    { type: "error", error: { type: "rate_limit_error", message: "quota" } },
  ]);
});

test("what the SDK would ignore is refused by the client's name for it, before the answer", async () => {
  const model = await start({ text: "yes" }, { text: "yes" });
  await expect(ask("chat", { ...QUESTION.chat, presence_penalty: 1 }, google(model))).rejects.toMatchObject({
    code: "request_unsupported",
    details: { field: "presence_penalty" },
  });
  await expect(ask("chat", { ...QUESTION.chat, parallel_tool_calls: false }, google(model))).rejects.toMatchObject({
    details: { field: "parallel_tool_calls" },
  });
});

test("a picture reaches Gemini as bytes; one that would have to be fetched is refused", async () => {
  const model = await start({ text: "yes" });
  const image = (url: string) => ({
    ...QUESTION.chat,
    messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }],
  });
  await ask("chat", image("data:image/png;base64,iVBORw0KGgo="), google(model)).then(bodyOf);
  expect(model.requests()[0]?.body).toMatchObject({
    contents: [{ parts: [{ inlineData: { mimeType: "image/png", data: "iVBORw0KGgo=" } }] }],
  });
  await expect(ask("chat", image("http://127.0.0.1/a.png"), google(model))).rejects.toMatchObject({
    code: "request_unsupported",
  });
});

test("a schema for the answer reaches Gemini", async () => {
  const model = await start({ text: '{"a":"b"}' });
  const schema = { type: "object", properties: { a: { type: "string" } } };
  const format = { type: "json_schema", json_schema: { name: "x", schema } };
  const answer = await ask("chat", { ...QUESTION.chat, response_format: format }, google(model));
  expect((await read("chat", answer, false)).parts).toEqual([{ type: "text", text: '{"a":"b"}' }]);
  expect(model.requests()[0]?.body).toMatchObject({ generationConfig: { responseMimeType: "application/json" } });
});

test("a stream that is cut ends early and is not complete; an abort is the signal's own", async () => {
  const model = await start({
    text: "a".repeat(400),
    faults: [
      { type: "cut", afterBytes: 900 },
      { type: "stall", ms: 60_000 },
    ],
  });
  const answer = await ask("chat", { ...QUESTION.chat, stream: true }, google(model));
  await expect(bodyOf(answer)).rejects.toMatchObject({ code: "model_stream_broken" });
  expect(answer.meter.complete()).toBe(false);
  const client = new AbortController();
  const call = laneCall("chat", { ...QUESTION.chat, stream: true }, google(model));
  const waiting = lane(call, client.signal);
  await expect.poll(() => model.requests().length).toBe(2);
  client.abort(new Error("gone"));
  await expect(waiting.then(bodyOf)).rejects.toThrow("gone");
  await expect.poll(() => model.requests()[1]?.aborted).toBe(true);
});

test("a model that is silent for too long ends as a timeout", async () => {
  const model = await start({ text: "yes", faults: [{ type: "stall", ms: 60_000 }] });
  const slow = { ...google(model), streamTimeoutMs: 50 };
  await expect(ask("chat", { ...QUESTION.chat, stream: true }, slow)).rejects.toMatchObject({ code: "model_timeout" });
});

test("Vertex and Mistral are reached too", async () => {
  const model = await start({ text: "yes" });
  const base = `${model.anthropicBaseUrl}/v1/projects/p/locations/l/publishers/google`;
  const vertex = { provider: "vertex", model: "gemini-2.5-pro", baseUrl: base, apiKey: "key" } as const;
  const mistral = {
    provider: "mistral",
    model: "mistral-large-latest",
    baseUrl: model.baseUrl,
    apiKey: "key",
  } as const;
  for (const deployment of [vertex, mistral]) {
    const answer = await ask("messages", { ...QUESTION.messages, stream: true }, deployment);
    expect((await read("messages", answer, true)).parts).toEqual([{ type: "text", text: "yes" }]);
  }
});

test("Claude on Vertex is asked as Messages, with marks, budget and signature", async () => {
  const turn: Turn = { reasoning: "hm", text: "yes", calls: [{ tool: "read", arguments: {} }] };
  const model = await start(turn, { text: "done" });
  const baseUrl = `${model.anthropicBaseUrl}/v1/projects/p/locations/l/publishers/anthropic/models`;
  const claude = { provider: "vertex", model: "claude-sonnet-4-5", baseUrl, apiKey: "token" } as const;
  const thinking = { type: "enabled", budget_tokens: 1024 };
  const system = [{ type: "text", text: "s", cache_control: { type: "ephemeral", ttl: "1h" } }];
  const asked = { ...QUESTION.messages, ...TOOLS.messages, max_tokens: 4000, thinking, system };
  const said = JSON.parse(await bodyOf(await ask("messages", asked, claude))) as Record<string, unknown>;
  await ask("messages", { ...asked, ...history("messages", said) }, claude).then(bodyOf);
  const [first, second] = model.requests();
  expect(first?.headers["authorization"]).toBe("Bearer token");
  expect(first?.body).toMatchObject({ thinking, system });
  expect(second?.body).toMatchObject({
    messages: [
      { role: "user" },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "hm", signature: "c2NyaXB0ZWQtc2lnbmF0dXJl" },
          { type: "text", text: "yes" },
          { type: "tool_use", name: "read" },
        ],
      },
      { role: "user", content: [{ type: "tool_result" }] },
    ],
  });
});

test("embeddings of Google and Mistral come in OpenAI's format, as numbers and as base64", async () => {
  const model = await start({ usage: { inputTokens: 7 } });
  const body = { model: "n", input: ["a", "b"], dimensions: 8 };
  const said = JSON.parse(await bodyOf(await ask("embeddings", body, google(model)))) as object;
  expect(said).toEqual({
    object: "list",
    model: "gemini-2.5-pro",
    data: [
      { object: "embedding", index: 0, embedding: scriptedVector("a", 8) },
      { object: "embedding", index: 1, embedding: scriptedVector("b", 8) },
    ],
    usage: { prompt_tokens: 1, total_tokens: 1 },
  });
  const mistral = { provider: "mistral", model: "mistral-embed", baseUrl: model.baseUrl, apiKey: "key" } as const;
  const answer = await ask("embeddings", { model: "n", input: "a", encoding_format: "base64" }, mistral);
  const { data } = JSON.parse(await bodyOf(answer)) as { data: [{ embedding: string }] };
  const bytes = Buffer.from(data[0].embedding, "base64");
  expect([...new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)]).toEqual(scriptedVector("a", 32));
  expect(answer.meter.usage()).toMatchObject({ inputTokens: 7 });
});
