import type { ModelMessage, ModelRequest } from "@handrail/core/ports/model";
import { expect, test } from "vitest";
import { aiSdkPrompt } from "./ai-sdk-prompt.ts";
import { anthropicMessages } from "./anthropic-messages.ts";
import type { Dialect } from "./dialect.ts";
import { openAiChat } from "./openai-chat.ts";

const openAi = (baseUrl = "http://model.test/v1/") => openAiChat({ baseUrl, apiKey: "k", model: "m" });
const anthropic = (model = "claude-sonnet-4-5") =>
  anthropicMessages({ baseUrl: "https://model.test", apiKey: "k", model });

const text = (value: string) => ({ type: "text", text: value }) as const;
const image = { type: "image", mediaType: "image/png", data: "AAAA" } as const;
const call = (providerId: string, args: string) =>
  ({ type: "call", providerId, tool: "read", arguments: args }) as const;
const result = (providerId: string, content: ModelMessage["content"], failed = false): ModelMessage =>
  ({ role: "tool", providerId, tool: "read", content, failed }) as ModelMessage;

const thought = { dialect: "anthropic", model: "claude-sonnet-4-5", data: { signature: "sig" } };
const told = { dialect: "openai", model: "m", data: { reasoning_content: "hm" } };

const MESSAGES: readonly ModelMessage[] = [
  { role: "user", content: [text("fix it"), text("")] },
  {
    role: "assistant",
    model: "x",
    content: [
      { type: "reasoning", text: "hm", provider: thought },
      { type: "reasoning", text: "hm", provider: told },
      text("Looking."),
      call("a.1", '{"n":  1.0}'),
      call("b", '{"broken'),
    ],
  },
  result("a.1", [text("one"), image]),
  result("b", [], true),
  { role: "user", content: [text("also this"), image] },
  { role: "assistant", model: "x", content: [call("c", "")] },
  result("c", [text("two")]),
];

const request = (messages: readonly ModelMessage[]): ModelRequest => ({
  conversationId: "c1",
  system: "Be brief.",
  tools: [{ name: "read", description: "Reads.", parameters: { type: "object" } }],
  messages,
  maxOutputTokens: 9000,
});

const bodyOf = (dialect: Dialect, messages: readonly ModelMessage[] = MESSAGES) =>
  JSON.parse(dialect.toHttp(request(messages)).body) as Record<string, unknown>;

test("an OpenAI request has its images after the tool messages, and only its own reasoning", () => {
  expect(openAi().toHttp(request(MESSAGES))).toMatchObject({
    url: "http://model.test/v1/chat/completions",
    headers: { authorization: "Bearer k" },
  });
  const url = { url: "data:image/png;base64,AAAA" };
  const called = (id: string, args: string) => ({ id, type: "function", function: { name: "read", arguments: args } });
  expect(bodyOf(openAi())).toEqual({
    model: "m",
    stream: true,
    stream_options: { include_usage: true },
    tools: [{ type: "function", function: { name: "read", description: "Reads.", parameters: { type: "object" } } }],
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "fix it" },
      {
        role: "assistant",
        content: "Looking.",
        reasoning_content: "hm",
        tool_calls: [called("a.1", '{"n":  1.0}'), called("b", '{"broken')],
      },
      { role: "tool", tool_call_id: "a.1", content: "one\n(The image follows.)" },
      { role: "tool", tool_call_id: "b", content: "(nothing)" },
      {
        role: "user",
        content: [
          { type: "text", text: "Image from read:" },
          { type: "image_url", image_url: url },
        ],
      },
      {
        role: "user",
        content: [
          { type: "text", text: "also this" },
          { type: "image_url", image_url: url },
        ],
      },
      { role: "assistant", content: null, tool_calls: [called("c", "{}")] },
      { role: "tool", tool_call_id: "c", content: "two" },
    ],
    max_tokens: 9000,
  });
});

test("an Anthropic request merges neighbours, leaves out blank text, and marks what is cached", () => {
  const mark = { cache_control: { type: "ephemeral" } };
  const source = { type: "base64", media_type: "image/png", data: "AAAA" };
  expect(anthropic().toHttp(request(MESSAGES)).url).toBe("https://model.test/v1/messages");
  expect(bodyOf(anthropic())).toEqual({
    model: "claude-sonnet-4-5",
    stream: true,
    thinking: { type: "enabled", budget_tokens: 4096 },
    system: [{ type: "text", text: "Be brief.", ...mark }],
    tools: [{ name: "read", description: "Reads.", input_schema: { type: "object" }, ...mark }],
    messages: [
      { role: "user", content: [{ type: "text", text: "fix it" }] },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "hm", signature: "sig" },
          { type: "text", text: "Looking." },
          { type: "tool_use", id: "a_1", name: "read", input: { n: 1 } },
          { type: "tool_use", id: "b", name: "read", input: { invalid_json: '{"broken' } },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "a_1", content: [text("one"), { type: "image", source }] },
          { type: "tool_result", tool_use_id: "b", is_error: true },
          text("also this"),
          { type: "image", source, ...mark },
        ],
      },
      { role: "assistant", content: [{ type: "tool_use", id: "c", name: "read", input: {} }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "c", content: [text("two")], ...mark }] },
    ],
    max_tokens: 9000,
  });
});

test.each([
  ["OpenAI", () => openAi()],
  ["Anthropic", () => anthropic()],
])("each %s request begins with the messages of the one before, byte for byte", (_, dialect) => {
  const steps = [1, 5, 7].map((length) => {
    const { messages } = bodyOf(dialect(), MESSAGES.slice(0, length));
    const all = JSON.stringify(messages).replaceAll(',"cache_control":{"type":"ephemeral"}', "");
    return all.replace(/\]$/, "");
  });
  for (const [index, step] of steps.slice(1).entries()) expect(step.startsWith(steps[index]!)).toBe(true);
});

test("an AI SDK prompt has the results of one step in one message", () => {
  const prompt = aiSdkPrompt(request(MESSAGES), { dialect: "google", model: "g" });
  expect(prompt.map(({ role, content }) => [role, content.length])).toEqual([
    ["system", 9],
    ["user", 1],
    ["assistant", 3],
    ["tool", 2],
    ["user", 2],
    ["assistant", 1],
    ["tool", 1],
  ]);
});

test("an answer that is cut in its thinking is not sent back to Anthropic", () => {
  const cut: ModelMessage = {
    role: "assistant",
    model: "x",
    content: [{ type: "reasoning", text: "h", provider: thought }],
  };
  const go: ModelMessage = { role: "user", content: [text("go on")] };
  const { messages } = bodyOf(anthropic(), [MESSAGES[0]!, cut, go]) as { messages: { role: string }[] };
  expect(messages.map(({ role }) => role)).toEqual(["user"]);
});

test("thinking is asked for in the way that the model's name promises", () => {
  const names = ["claude-opus-4-8", "claude-sonnet-4-20250514", "claude-haiku-4-5", "claude-3-5-haiku-latest", "other"];
  expect(names.map((name) => bodyOf(anthropic(name))["thinking"])).toEqual([
    { type: "adaptive" },
    { type: "enabled", budget_tokens: 4096 },
    { type: "enabled", budget_tokens: 4096 },
    undefined,
    undefined,
  ]);
});

test("base URLs keep their path and query, and must be plain http or https", () => {
  expect(openAi("https://a.test/x//?api-version=1").toHttp(request([])).url).toBe(
    "https://a.test/x/chat/completions?api-version=1",
  );
  const v1 = anthropicMessages({ baseUrl: "https://a.test/v1/", apiKey: undefined, model: "m" });
  expect(v1.toHttp(request([])).url).toBe("https://a.test/v1/messages");
  for (const url of ["ftp://a.test", "a.test", "https://user:pass@a.test"]) {
    expect(() => openAi(url)).toThrow(expect.objectContaining({ code: "config_invalid" }) as Error);
  }
});
