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

test("names that every object has are no fields, types or words that are known", () => {
  for (const name of ["constructor", "toString", "__proto__"]) {
    const body = JSON.parse(`{ "${name}": 1 }`) as Fields;
    expect(() => translated("chat", "messages", body)).toThrow(
      expect.objectContaining({ details: { field: name } }) as Error,
    );
    const messages = [{ role: "user", content: [{ type: name }] }];
    const field = "messages[0].content[0].type";
    expect(() => translated("messages", "chat", { messages })).toThrow(
      expect.objectContaining({ details: { field } }) as Error,
    );
    expect(() => translated("responses", "chat", { input: [{ type: name }] })).toThrow(
      expect.objectContaining({ details: { field: "input[0].type" } }) as Error,
    );
  }
});

test("what was meant for the gateway itself is no hindrance in any format", () => {
  const ours = { tags: ["a"], cache: { "no-store": true }, litellm_metadata: {}, num_retries: 2 };
  for (const [from, to] of [
    ["chat", "messages"],
    ["messages", "chat"],
    ["responses", "chat"],
  ] as const) {
    expect(JSON.stringify(translated(from, to, ours).body)).not.toMatch(/tags|cache|litellm|retries/);
  }
});

test("a client that kept no thoughts of a call gets its next answer without any", () => {
  const call = { id: "c", type: "function", function: { name: "f", arguments: "{}" } };
  const step = (message: object) => [
    { role: "user", content: "hi" },
    { role: "assistant", content: "", tool_calls: [call], ...message },
    { role: "tool", tool_call_id: "c", content: "" },
  ];
  const asked = { thinking: { type: "enabled", budget_tokens: 2048 }, max_tokens: 9000 };
  const without = translated("chat", "messages", { ...asked, messages: step({}) });
  expect(without.body["thinking"]).toBeUndefined();
  expect(without.warnings).toHaveLength(1);
  const thinking_blocks = [{ type: "thinking", thinking: "hm", signature: "sig" }];
  const kept = translated("chat", "messages", { ...asked, messages: step({ thinking_blocks }) });
  expect(kept.body).toMatchObject({
    thinking: asked.thinking,
    messages: [{}, { content: [{ type: "thinking", signature: "sig" }, { type: "tool_use" }] }, {}],
  });
});
