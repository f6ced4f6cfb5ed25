import { expect, test } from "vitest";
import type { ChatFormat } from "../ports/format.ts";
import { CODECS } from "./codec.ts";
import type { Fields } from "./refuse.ts";

const BASE: Record<ChatFormat, Fields> = {
  chat: { messages: [{ role: "user", content: "hi" }], max_tokens: 9 },
  messages: { messages: [{ role: "user", content: "hi" }], max_tokens: 9 },
  responses: { input: "hi" },
};

function translated(from: ChatFormat, to: ChatFormat, more: Fields): { body: Fields; warnings: string[] } {
  const warnings = new Set<string>();
  const prompt = CODECS[from].readRequest({ ...BASE[from], ...more });
  const target = { from, warnings, provider: "openai", model: "m", maxOutputTokens: undefined } as const;
  return { body: CODECS[to].writeRequest(prompt, target), warnings: [...warnings] };
}

const REFUSED: readonly (readonly [ChatFormat, ChatFormat, Fields, string])[] = [
  ["chat", "messages", { n: 2 }, "n"],
  ["chat", "messages", { logprobs: true }, "logprobs"],
  ["chat", "messages", { seed: 7 }, "seed"],
  ["chat", "responses", { stop: ["x"] }, "stop"],
  ["chat", "messages", { frequency_penalty: 0.5 }, "frequency_penalty"],
  ["chat", "messages", { made_up: 1 }, "made_up"],
  ["chat", "messages", { response_format: { type: "json_object" } }, "response_format"],
  ["chat", "messages", { tools: [{ type: "custom", custom: { name: "x" } }] }, "tools[0].type"],
  ["chat", "messages", { messages: [{ role: "user", content: [{ type: "video" }] }] }, "messages[0].content[0].type"],
  [
    "chat",
    "messages",
    {
      messages: [
        { role: "user", content: "a" },
        { role: "system", content: "b" },
      ],
    },
    "messages[1].role",
  ],
  ["messages", "chat", { tools: [{ type: "bash_20250124", name: "bash" }] }, "tools[0].type"],
  ["messages", "chat", { container: "c" }, "container"],
  ["messages", "responses", { top_k: 5 }, "top_k"],
  ["messages", "responses", { stop_sequences: ["x"] }, "stop_sequences"],
  [
    "messages",
    "chat",
    { messages: [{ role: "user", content: [{ type: "search_result" }] }] },
    "messages[0].content[0].type",
  ],
  ["responses", "chat", { previous_response_id: "resp_1" }, "previous_response_id"],
  ["responses", "chat", { background: true }, "background"],
  ["responses", "messages", { tools: [{ type: "web_search" }] }, "tools[0].type"],
  ["responses", "messages", { input: [{ type: "item_reference", id: "x" }] }, "input[0].type"],
];

for (const [from, to, more, field] of REFUSED) {
  test(`from ${from} to ${to}, \`${field}\` of ${JSON.stringify(more)} is refused by its name`, () => {
    expect(() => translated(from, to, more)).toThrow(
      expect.objectContaining({ code: "request_unsupported", details: { field } }) as Error,
    );
  });
}

test("what only hints is left out, and said to be", () => {
  const { body, warnings } = translated("chat", "messages", { metadata: { a: "b" }, verbosity: "low", user: "u" });
  expect(body).toMatchObject({ metadata: { user_id: "u" } });
  expect(warnings.toSorted()).toEqual(["metadata was left out", "verbosity was left out"]);
});

test("fields with the values that they have anyway are no hindrance", () => {
  const usual = { n: 1, logprobs: false, presence_penalty: 0, store: true, logit_bias: {}, parallel_tool_calls: true };
  expect(translated("chat", "messages", usual).body).toEqual({
    model: "m",
    max_tokens: 9,
    messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }],
  });
});

test("efforts become budgets, or efforts, as the model knows them", () => {
  const asked = { reasoning_effort: "high", max_tokens: undefined, max_completion_tokens: 50_000 };
  const to = (model: string, more: Fields) => {
    const prompt = CODECS.chat.readRequest({ ...BASE.chat, ...more });
    const warnings = new Set<string>();
    const target = { from: "chat", warnings, provider: "anthropic", model, maxOutputTokens: undefined } as const;
    const { thinking, output_config } = CODECS.messages.writeRequest(prompt, target);
    return { thinking, output_config, warned: warnings.size };
  };
  expect(to("claude-sonnet-4-5", asked)).toEqual({
    thinking: { type: "enabled", budget_tokens: 24_576 },
    output_config: undefined,
    warned: 0,
  });
  expect(to("claude-opus-4-6", asked)).toEqual({
    thinking: { type: "adaptive" },
    output_config: { effort: "high" },
    warned: 0,
  });
  expect(to("claude-sonnet-4-5", { reasoning_effort: "low" })).toEqual({
    thinking: undefined,
    output_config: undefined,
    warned: 1,
  });
});

test("marks for the prompt cache go to servers that know them, and are said to be left out elsewhere", () => {
  const cache_control = { type: "ephemeral", ttl: "1h" };
  const body = {
    system: [{ type: "text", text: "s", cache_control }],
    messages: [{ role: "user", content: [{ type: "text", text: "hi", cache_control }] }],
    tools: [{ name: "f", input_schema: {}, cache_control }],
    max_tokens: 9,
  };
  const prompt = CODECS.messages.readRequest(body);
  const written = (provider: "litellm" | "openai") => {
    const warnings = new Set<string>();
    const target = { from: "messages", warnings, provider, model: "m", maxOutputTokens: undefined } as const;
    return [JSON.stringify(CODECS.chat.writeRequest(prompt, target)).split('"cache_control"').length - 1, ...warnings];
  };
  expect(written("litellm")).toEqual([3]);
  expect(written("openai")).toEqual([0, "cache_control was left out"]);
});
