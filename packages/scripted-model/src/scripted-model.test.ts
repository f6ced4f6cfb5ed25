import { afterEach, expect, test } from "vitest";
import type { Script, Turn } from "./script.ts";
import { repeatScript } from "./script.ts";
import { type ScriptedModel, startScriptedModel } from "./scripted-model.ts";

const open: ScriptedModel[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((model) => model.close()));
});

async function start(script: Script | Script[], apiKey?: string): Promise<ScriptedModel> {
  const model = await startScriptedModel({ script, ...(apiKey === undefined ? {} : { apiKey }) });
  open.push(model);
  return model;
}

const one = (turn: Turn): Script => ({ name: "one", turns: [turn], otherwise: { text: "over" } });
const user = { role: "user", content: "do it" };
const assistant = { role: "assistant", content: "did" };

function post(url: string, body: object, init: RequestInit = {}): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    ...init,
  });
}
const chat = (model: ScriptedModel, body: object, init?: RequestInit) =>
  post(`${model.baseUrl}/chat/completions`, { model: "m", messages: [user], ...body }, init);

test("the number of answers in the history picks the turn, and its number fills the template", async () => {
  const model = await start(
    repeatScript({ steps: 2, call: { tool: "terminal", arguments: { command: "echo {{turn}}" } } }),
  );
  const said = async (messages: object[]) =>
    ((await (await chat(model, { messages })).json()) as { choices: [{ message: object; finish_reason: string }] })
      .choices[0];

  const call = (turn: number) => ({
    id: `call_${turn}_0`,
    type: "function",
    function: { name: "terminal", arguments: `{"command":"echo ${turn}"}` },
  });
  expect([await said([user]), await said([user, assistant]), await said([user, assistant, user, assistant])]).toEqual([
    {
      index: 0,
      logprobs: null,
      message: { role: "assistant", content: null, tool_calls: [call(1)] },
      finish_reason: "tool_calls",
    },
    {
      index: 0,
      logprobs: null,
      message: { role: "assistant", content: null, tool_calls: [call(2)] },
      finish_reason: "tool_calls",
    },
    { index: 0, logprobs: null, message: { role: "assistant", content: "Done." }, finish_reason: "stop" },
  ]);
});

test("an OpenAI stream ends with its usage, when it is asked for, and [DONE]", async () => {
  const model = await start(one({ text: "héllo 👋", chunkSize: 4, usage: { inputTokens: 9, outputTokens: 3 } }));
  const asked = { stream: true, stream_options: { include_usage: true } };
  const lines = (await (await chat(model, asked)).text()).trim().split("\n\n");
  const chunks = lines
    .slice(0, -1)
    .map((line) => JSON.parse(line.slice(6)) as { choices: { delta: object }[]; usage?: object });

  expect(lines.at(-1)).toBe("data: [DONE]");
  expect(chunks.flatMap((chunk) => chunk.choices.map((choice) => choice.delta))).toEqual([
    { role: "assistant", content: "" },
    { content: "héll" },
    { content: "o 👋" },
    {},
  ]);
  expect(chunks.at(-1)?.usage).toMatchObject({ prompt_tokens: 9, completion_tokens: 3 });
  expect(await (await chat(model, { stream: true })).text()).not.toContain("usage");
});

test("an Anthropic stream has thinking with a signature, then text, then calls", async () => {
  const script = one({ reasoning: "hm", text: "yes", calls: [{ tool: "read", rawArguments: '{"path": oops' }] });
  const model = await start(script);
  const response = await post(`${model.anthropicBaseUrl}/v1/messages`, { model: "m", stream: true, messages: [user] });
  const events = (await response.text())
    .split("\n")
    .filter((line) => line.startsWith("data: "))
    .map((line) => JSON.parse(line.slice(6)) as { type: string; delta?: object });

  expect(events.flatMap((event) => (event.type === "content_block_delta" ? [event.delta] : []))).toEqual([
    { type: "thinking_delta", thinking: "hm" },
    { type: "signature_delta", signature: "c2NyaXB0ZWQtc2lnbmF0dXJl" },
    { type: "text_delta", text: "yes" },
    { type: "input_json_delta", partial_json: "" },
    { type: "input_json_delta", partial_json: '{"path": oops' },
  ]);
  expect(events.at(-1)).toEqual({ type: "message_stop" });
});

test("faults are played once each, in order and for each conversation, and then the turn", async () => {
  const model = await start(
    one({ text: "yes", faults: [{ type: "status", status: 429, retryAfterSeconds: 2 }, { type: "refused" }] }),
  );
  const first = await chat(model, {});
  expect([first.status, first.headers.get("retry-after")]).toEqual([429, "2"]);
  await expect(chat(model, {})).rejects.toThrow("fetch failed");
  expect((await chat(model, {})).status).toBe(200);
  expect((await chat(model, { messages: [{ role: "user", content: "another" }] })).status).toBe(429);
});

test("a cut stream breaks off after exactly the bytes asked for", async () => {
  const model = await start(one({ text: "yes", faults: [{ type: "cut", afterBytes: 40 }] }));
  const response = await chat(model, { stream: true });
  let bytes = 0;
  const read = async () => {
    for await (const part of response.body!) bytes += part.length;
  };
  await expect(read()).rejects.toThrow("terminated");
  expect(bytes).toBe(40);
});

test("a trickle is the same answer, byte by byte; an error event ends a stream", async () => {
  const turn: Turn = { text: "yes" };
  const plain = await start(one(turn));
  const slow = await start(one({ ...turn, faults: [{ type: "trickle" }, { type: "streamError", afterEvents: 1 }] }));
  const text = async (model: ScriptedModel) => (await chat(model, { stream: true })).text();

  expect(await text(slow)).toBe(await text(plain));
  expect((await text(slow)).split("\n\n")[1]).toContain("Scripted overload");
});

test("a request whose client leaves is recorded as aborted, one that is answered is not", async () => {
  const model = await start(one({ text: "a".repeat(1000), chunkDelayMs: 20, chunkSize: 1 }));
  const client = new AbortController();
  const response = await chat(model, { stream: true }, { signal: client.signal });
  client.abort();
  await expect(response.text()).rejects.toThrow("aborted");
  await chat(model, { messages: [user, assistant] }).then((answer) => answer.text());
  await expect
    .poll(() => model.requests().map(({ ended, aborted }) => ({ ended, aborted })))
    .toEqual([
      { ended: true, aborted: true },
      { ended: true, aborted: false },
    ]);
});

test("what was asked can be read over HTTP, body and all", async () => {
  const model = await start(one({ text: "yes" }));
  await chat(model, { max_tokens: 5 }).then((answer) => answer.text());
  const url = new URL("/scripted/requests", model.baseUrl);
  expect(await (await fetch(url)).json()).toMatchObject([
    { path: "/v1/chat/completions", body: { model: "m", max_tokens: 5, messages: [user] } },
  ]);
});

test("a wrong key, an unknown model and a broken body are refused in the API's own words", async () => {
  const model = await start(
    [
      { name: "a", turns: [] },
      { name: "b", turns: [] },
    ],
    "secret",
  );
  const key = { authorization: "Bearer secret", "content-type": "application/json" };
  const status = async (answer: Promise<Response>) => {
    const response = await answer;
    return [response.status, ((await response.json()) as { error: { message: string } }).error.message];
  };
  expect(await status(chat(model, {}))).toEqual([401, "The API key is wrong."]);
  expect(await status(chat(model, {}, { headers: key }))).toEqual([404, "The model `m` does not exist."]);
  expect(await status(chat(model, {}, { headers: key, body: "{" }))).toEqual([400, "The body is not valid JSON."]);
  const list = (await (await fetch(`${model.baseUrl}/models`, { headers: key })).json()) as { data: { id: string }[] };
  expect(list.data.map(({ id }) => id)).toEqual(["a", "b"]);
});
