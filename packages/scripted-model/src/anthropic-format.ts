import { type Answer, pieces } from "./answer.ts";
import { inputOf, typedEvent as event, type WireFormat } from "./wire-format.ts";

/** Anthropic Messages (platform.claude.com/docs/en/build-with-claude/streaming). */
export const anthropicFormat: WireFormat = {
  events(answer) {
    const start = { type: "message_start", message: { ...envelope(answer), content: [], usage: usage(answer, 1) } };
    const delta = { stop_reason: FINISH[answer.finish], stop_sequence: null };
    return [
      event(start),
      event({ type: "ping" }),
      ...blocks(answer).flatMap((block, index) => blockEvents(answer, block, index)),
      event({ type: "message_delta", delta, usage: { output_tokens: answer.usage.outputTokens } }),
      event({ type: "message_stop" }),
    ];
  },
  whole: (answer) => ({
    ...envelope(answer),
    content: blocks(answer).map(wholeBlock),
    stop_reason: FINISH[answer.finish],
    usage: usage(answer, answer.usage.outputTokens),
  }),
  error: (status, message) => ({ type: "error", error: { type: errorType(status), message } }),
  errorEvent: (message) => event({ type: "error", error: { type: "overloaded_error", message } }),
};

/** How many tokens a request of Messages has (platform.claude.com/docs/en/api/messages-count-tokens). */
export const countFormat: WireFormat = {
  ...anthropicFormat,
  events: () => [],
  whole: ({ usage }) => ({ input_tokens: usage.inputTokens }),
};

const FINISH = { stop: "end_turn", calls: "tool_use", length: "max_tokens", refusal: "refusal" } as const;

/** The signature that scripted reasoning carries; a client has to send it back unchanged. */
const SIGNATURE = "c2NyaXB0ZWQtc2lnbmF0dXJl";

type Block =
  | { readonly type: "thinking"; readonly text: string }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "tool_use"; readonly call: Answer["calls"][number] };

function blocks(answer: Answer): readonly Block[] {
  return [
    ...(answer.reasoning === "" ? [] : [{ type: "thinking", text: answer.reasoning } as const]),
    ...(answer.text === "" ? [] : [{ type: "text", text: answer.text } as const]),
    ...answer.calls.map((call) => ({ type: "tool_use", call }) as const),
  ];
}

function blockEvents(answer: Answer, block: Block, index: number): readonly string[] {
  const parts = deltas(block, answer.chunkSize);
  return [
    event({ type: "content_block_start", index, content_block: emptyBlock(block) }),
    ...parts.map((delta) => event({ type: "content_block_delta", index, delta })),
    event({ type: "content_block_stop", index }),
  ];
}

function deltas(block: Block, size: number): readonly object[] {
  switch (block.type) {
    case "text":
      return pieces(block.text, size).map((text) => ({ type: "text_delta", text }));
    case "thinking":
      return [
        ...pieces(block.text, size).map((thinking) => ({ type: "thinking_delta", thinking })),
        { type: "signature_delta", signature: SIGNATURE },
      ];
    case "tool_use":
      return ["", ...pieces(block.call.arguments, size)].map((text) => ({
        type: "input_json_delta",
        partial_json: text,
      }));
  }
}

function emptyBlock(block: Block): object {
  if (block.type === "text") return { type: "text", text: "" };
  if (block.type === "thinking") return { type: "thinking", thinking: "", signature: "" };
  return { type: "tool_use", id: toolUseId(block.call.id), name: block.call.tool, input: {} };
}

function wholeBlock(block: Block): object {
  if (block.type === "text") return { type: "text", text: block.text };
  if (block.type === "thinking") return { type: "thinking", thinking: block.text, signature: SIGNATURE };
  return {
    type: "tool_use",
    id: toolUseId(block.call.id),
    name: block.call.tool,
    input: inputOf(block.call.arguments),
  };
}

function toolUseId(id: string): string {
  return id.replace("call_", "toolu_");
}

function envelope(answer: Answer): object {
  return {
    id: `msg_${answer.id}`,
    type: "message",
    role: "assistant",
    model: answer.model,
    stop_reason: null,
    stop_sequence: null,
  };
}

/** Here `input_tokens` leaves out what the cache read and wrote. */
function usage({ usage }: Answer, output: number): object {
  return {
    input_tokens: Math.max(0, usage.inputTokens - usage.cacheReadTokens - usage.cacheWriteTokens),
    cache_read_input_tokens: usage.cacheReadTokens,
    cache_creation_input_tokens: usage.cacheWriteTokens,
    cache_creation: {
      ephemeral_5m_input_tokens: usage.cacheWriteTokens - usage.cacheWriteHourTokens,
      ephemeral_1h_input_tokens: usage.cacheWriteHourTokens,
    },
    output_tokens: output,
  };
}

function errorType(status: number): string {
  return ERROR_TYPES[status] ?? (status >= 500 ? "api_error" : "invalid_request_error");
}

const ERROR_TYPES: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  529: "overloaded_error",
};
