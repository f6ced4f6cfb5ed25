import { type Answer, pieces } from "./answer.ts";
import { dataEvent, type WireFormat } from "./wire-format.ts";

/** OpenAI Chat Completions (platform.openai.com/docs/api-reference/chat), with `reasoning_content` as vLLM sends it. */
export const openAiFormat: WireFormat = {
  events(answer) {
    return [...deltas(answer), ...ending(answer)].map(dataEvent).concat(DONE);
  },
  whole: (answer) => ({
    ...envelope(answer, "chat.completion"),
    choices: [{ index: 0, message: message(answer), logprobs: null, finish_reason: FINISH[answer.finish] }],
    usage: usage(answer),
  }),
  error: openAiError,
  errorEvent: (message) => dataEvent(openAiError(500, message)),
};

const DONE = "data: [DONE]\n\n";
const FINISH = { stop: "stop", calls: "tool_calls", length: "length", refusal: "content_filter" } as const;

function deltas(answer: Answer): readonly object[] {
  const parts = [
    { role: "assistant", content: "" },
    ...pieces(answer.reasoning, answer.chunkSize).map((reasoning_content) => ({ reasoning_content })),
    ...pieces(answer.text, answer.chunkSize).map((content) => ({ content })),
    ...answer.calls.flatMap((_, index) => callDeltas(answer, index)),
  ];
  return parts.map((delta) => chunk(answer, [{ index: 0, delta, logprobs: null, finish_reason: null }]));
}

function callDeltas(answer: Answer, index: number): readonly object[] {
  const call = answer.calls[index];
  if (!call) return [];
  const first = { index, id: call.id, type: "function", function: { name: call.tool, arguments: "" } };
  const rest = pieces(call.arguments, answer.chunkSize).map((text) => ({ index, function: { arguments: text } }));
  return [first, ...rest].map((fragment) => ({ tool_calls: [fragment] }));
}

function ending(answer: Answer): readonly object[] {
  const last = { index: 0, delta: {}, logprobs: null, finish_reason: FINISH[answer.finish] };
  const counted = { ...chunk(answer, []), usage: usage(answer) };
  return [chunk(answer, [last]), ...(usageAsked(answer) ? [counted] : [])];
}

/** As the API does, a stream counts only when it is asked to. */
function usageAsked({ asked }: Answer): boolean {
  const options = asked.body["stream_options"];
  return (
    typeof options === "object" && options !== null && "include_usage" in options && options.include_usage === true
  );
}

function chunk(answer: Answer, choices: readonly object[]): object {
  return { ...envelope(answer, "chat.completion.chunk"), choices };
}

function envelope(answer: Answer, object: string): object {
  return { id: `chatcmpl-${answer.id}`, object, created: 1_700_000_000, model: answer.model };
}

function message(answer: Answer): object {
  return {
    role: "assistant",
    content: answer.text === "" ? null : answer.text,
    ...(answer.reasoning === "" ? {} : { reasoning_content: answer.reasoning }),
    ...(answer.calls.length === 0 ? {} : { tool_calls: answer.calls.map(wholeCall) }),
  };
}

function wholeCall(call: Answer["calls"][number]): object {
  return { id: call.id, type: "function", function: { name: call.tool, arguments: call.arguments } };
}

/** Cache writes are named as LiteLLM does; the API itself has none. */
function usage({ usage }: Answer): object {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: promptDetails(usage),
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens, ...audio(usage.outputAudioTokens) },
    ...(usage.cacheWriteTokens === 0 ? {} : { cache_creation_input_tokens: usage.cacheWriteTokens }),
  };
}

/** What a prompt's tokens were, for Chat Completions and Responses. */
export function promptDetails(usage: Answer["usage"]): object {
  const writes = {
    cache_creation_tokens: usage.cacheWriteTokens,
    cache_creation_token_details: {
      ephemeral_5m_input_tokens: usage.cacheWriteTokens - usage.cacheWriteHourTokens,
      ephemeral_1h_input_tokens: usage.cacheWriteHourTokens,
    },
  };
  return {
    cached_tokens: usage.cacheReadTokens,
    ...audio(usage.inputAudioTokens),
    ...(usage.cacheWriteTokens === 0 ? {} : writes),
  };
}

/** Audio tokens, where there are any. */
export function audio(tokens: number): object {
  return tokens === 0 ? {} : { audio_tokens: tokens };
}

/** An error's body in OpenAI's APIs. */
export function openAiError(status: number, message: string): object {
  return { error: { message, type: errorType(status), param: null, code: String(status) } };
}

function errorType(status: number): string {
  if (status === 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}
