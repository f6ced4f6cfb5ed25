import { afterEach, expect, test } from "vitest";
import { scriptedVector } from "./embeddings-format.ts";
import type { Turn } from "./script.ts";
import { type ScriptedModel, startScriptedModel } from "./scripted-model.ts";

const open: ScriptedModel[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((model) => model.close()));
});

async function start(...turns: Turn[]): Promise<ScriptedModel> {
  const model = await startScriptedModel({ script: { name: "one", turns } });
  open.push(model);
  return model;
}

async function post(model: ScriptedModel, path: string, body: object): Promise<Response> {
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  return fetch(new URL(path, model.baseUrl), init);
}
const json = async (model: ScriptedModel, path: string, body: object) =>
  (await (await post(model, path, body)).json()) as Record<string, unknown>;

async function events(model: ScriptedModel, path: string, body: object): Promise<Record<string, unknown>[]> {
  const lines = (await (await post(model, path, body)).text()).split("\n");
  return lines
    .filter((line) => line.startsWith("data: "))
    .map((line) => JSON.parse(line.slice(6)) as Record<string, unknown>);
}

const USAGE = {
  inputTokens: 100,
  outputTokens: 20,
  cacheReadTokens: 30,
  cacheWriteTokens: 50,
  cacheWriteHourTokens: 10,
  reasoningTokens: 5,
  inputAudioTokens: 4,
  outputAudioTokens: 3,
};
const TURN: Turn = {
  reasoning: "hm",
  text: "yes!",
  calls: [{ tool: "read", rawArguments: '{"a": 1.0}' }],
  usage: USAGE,
  chunkSize: 3,
};

test("a Responses stream has the whole sequence of events, numbered, and ends with the whole answer", async () => {
  const model = await start(TURN);
  const body = { model: "m", input: "hi", include: ["reasoning.encrypted_content"] };
  const all = await events(model, "/v1/responses", { ...body, stream: true });
  expect(all.map(({ sequence_number }) => sequence_number)).toEqual(all.map((_, index) => index));
  expect(all.map(({ type }) => String(type).replace("response.", ""))).toEqual([
    "created",
    "in_progress",
    "output_item.added",
    "reasoning_summary_part.added",
    "reasoning_summary_text.delta",
    "reasoning_summary_text.done",
    "reasoning_summary_part.done",
    "output_item.done",
    "output_item.added",
    "content_part.added",
    "output_text.delta",
    "output_text.delta",
    "output_text.done",
    "content_part.done",
    "output_item.done",
    "output_item.added",
    ...Array<string>(4).fill("function_call_arguments.delta"),
    "function_call_arguments.done",
    "output_item.done",
    "completed",
  ]);
  const whole = await json(model, "/v1/responses", body);
  expect(all.at(-1)?.["response"]).toEqual(whole);
  expect(whole).toMatchObject({
    status: "completed",
    output: [
      { type: "reasoning", summary: [{ type: "summary_text", text: "hm" }], encrypted_content: expect.any(String) },
      { type: "message", content: [{ type: "output_text", text: "yes!", annotations: [] }] },
      { type: "function_call", call_id: "call_1_0", name: "read", arguments: '{"a": 1.0}' },
    ],
    usage: { input_tokens: 100, output_tokens: 20, output_tokens_details: { reasoning_tokens: 5, audio_tokens: 3 } },
  });
});

test("what the model made in a row is one answer of a Responses history, and an earlier response counts", async () => {
  const model = await start({ text: "one" }, { text: "two" }, { text: "three" }, { text: "four" });
  const history = [
    { role: "user", content: "hi" },
    { type: "reasoning", id: "rs", summary: [] },
    { type: "function_call", call_id: "c", name: "read", arguments: "{}" },
    { type: "function_call_output", call_id: "c", output: "x" },
    { role: "assistant", content: "said" },
    { role: "user", content: "go on" },
  ];
  const said = async (body: object) => {
    const { output } = (await json(model, "/v1/responses", body)) as { output: { content: { text: string }[] }[] };
    return output[0]?.content[0]?.text;
  };
  expect(await said({ input: history })).toBe("three");
  expect(await said({ input: "go on", previous_response_id: "resp_scripted-3" })).toBe("four");
});

test("usage comes in each format's own buckets", async () => {
  const model = await start(TURN);
  const messages = [{ role: "user", content: "hi" }];
  const { usage: chat } = await json(model, "/v1/chat/completions", { messages });
  const { usage: anthropic } = await json(model, "/v1/messages", { messages });
  const google = await json(model, "/v1beta/models/m:generateContent", { contents: [{ role: "user", parts: [] }] });
  const writes = { ephemeral_5m_input_tokens: 40, ephemeral_1h_input_tokens: 10 };
  expect(chat).toEqual({
    prompt_tokens: 100,
    completion_tokens: 20,
    total_tokens: 120,
    prompt_tokens_details: {
      cached_tokens: 30,
      audio_tokens: 4,
      cache_creation_tokens: 50,
      cache_creation_token_details: writes,
    },
    completion_tokens_details: { reasoning_tokens: 5, audio_tokens: 3 },
    cache_creation_input_tokens: 50,
  });
  expect(anthropic).toEqual({
    input_tokens: 20,
    cache_read_input_tokens: 30,
    cache_creation_input_tokens: 50,
    cache_creation: writes,
    output_tokens: 20,
  });
  expect(google["usageMetadata"]).toMatchObject({
    promptTokenCount: 100,
    cachedContentTokenCount: 30,
    candidatesTokenCount: 15,
    thoughtsTokenCount: 5,
    promptTokensDetails: [
      { modality: "TEXT", tokenCount: 96 },
      { modality: "AUDIO", tokenCount: 4 },
    ],
  });
});

test("Gemini's stream has thoughts, text and whole calls with a signature", async () => {
  const model = await start(TURN);
  const contents = [{ role: "user", parts: [{ text: "hi" }] }];
  const all = await events(model, "/v1beta/models/gemini-x:streamGenerateContent?alt=sse", { contents });
  const candidates = all.flatMap(({ candidates }) => candidates as { content: { parts: object[] } }[]);
  expect(candidates.flatMap(({ content }) => content.parts)).toEqual([
    { text: "hm", thought: true },
    { text: "yes" },
    { text: "!" },
    { functionCall: { name: "read", args: { a: 1 } }, thoughtSignature: "c2NyaXB0ZWQtdGhvdWdodC1zaWduYXR1cmU=" },
  ]);
  expect(candidates.at(-1)).toMatchObject({ finishReason: "STOP" });
  expect(all[0]).toMatchObject({ modelVersion: "gemini-x" });
});

test("an embedding depends on its input alone, and is the same as numbers and as base64", async () => {
  const model = await start();
  const embed = async (body: object) => (await json(model, "/v1/embeddings", { model: "m", ...body }))["data"];
  const base64 = (await embed({ input: ["b"], encoding_format: "base64" })) as [{ embedding: string }];
  const bytes = Buffer.from(base64[0].embedding, "base64");
  expect(await embed({ input: ["a", "b"] })).toMatchObject([
    { index: 0, embedding: scriptedVector("a", 32) },
    { index: 1, embedding: scriptedVector("b", 32) },
  ]);
  expect([...new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)]).toEqual(scriptedVector("b", 32));
  expect(await embed({ input: [1, 2], dimensions: 4 })).toMatchObject([{ embedding: scriptedVector([1, 2], 4) }]);
  const requests = [{ content: { parts: [{ text: "a" }] } }];
  expect(await json(model, "/v1beta/models/m:batchEmbedContents", { requests })).toEqual({
    embeddings: [{ values: scriptedVector("a", 32) }],
  });
});

test("tokens can be counted, and answers carry the headers of their turn", async () => {
  const model = await start({ text: "yes", usage: { inputTokens: 7 }, headers: { "x-litellm-response-cost": "0.25" } });
  const body = { model: "m", messages: [{ role: "user", content: "hi" }] };
  expect(await json(model, "/v1/messages/count_tokens", body)).toEqual({ input_tokens: 7 });
  const answer = await post(model, "/v1/chat/completions", body);
  expect(answer.headers.get("x-litellm-response-cost")).toBe("0.25");
});

test("a path that only a table's own machinery has is no path", async () => {
  const model = await start();
  expect((await post(model, "/v1/constructor", {})).status).toBe(404);
});

test("Azure's and Vertex' paths name the model", async () => {
  const model = await start({ text: "yes" });
  const messages = [{ role: "user", content: "hi" }];
  expect(await json(model, "/openai/deployments/gpt/chat/completions?api-version=x", { messages })).toMatchObject({
    model: "gpt",
  });
  const path = "/v1/projects/p/locations/l/publishers/google/models/gemini:generateContent";
  expect(await json(model, path, { contents: [] })).toMatchObject({ modelVersion: "gemini" });
});
