import { type Answer, pieces } from "./answer.ts";
import { audio, openAiError, promptDetails } from "./openai-format.ts";
import { typedEvent, type WireFormat } from "./wire-format.ts";

/** OpenAI Responses (platform.openai.com/docs/api-reference/responses-streaming). */
export const responsesFormat: WireFormat = {
  events(answer) {
    const running = { response: { ...envelope(answer, "in_progress"), output: [], usage: null } };
    const ended = { response: responsesFormat.whole(answer) };
    return numbered([
      { type: "response.created", ...running },
      { type: "response.in_progress", ...running },
      ...items(answer).flatMap((item, index) => itemEvents(answer, item, index)),
      { type: `response.${status(answer)}`, ...ended },
    ]);
  },
  whole: (answer) => ({
    ...envelope(answer, status(answer)),
    output: items(answer).map((item) => wholeItem(item)),
    usage: usage(answer),
  }),
  error: openAiError,
  errorEvent: (message) =>
    typedEvent({ type: "error", code: "server_error", message, param: null, sequence_number: 1_000_000 }),
};

type Event = Readonly<Record<string, unknown>> & { readonly type: string };

function numbered(events: readonly Event[]): readonly string[] {
  return events.map((event, sequence_number) => typedEvent({ ...event, sequence_number }));
}

type Item =
  | { readonly type: "reasoning"; readonly id: string; readonly text: string; readonly sealed: boolean }
  | { readonly type: "message"; readonly id: string; readonly text: string }
  | { readonly type: "function_call"; readonly id: string; readonly call: Answer["calls"][number] };

/** What scripted reasoning carries when `reasoning.encrypted_content` is asked for; a client has to send it back unchanged. */
const SEALED = "c2NyaXB0ZWQtZW5jcnlwdGVkLXJlYXNvbmluZw==";

function items(answer: Answer): readonly Item[] {
  const include = answer.asked.body["include"];
  const sealed = Array.isArray(include) && include.includes("reasoning.encrypted_content");
  const id = (prefix: string, index = 0) => `${prefix}_${answer.id}-${index}`;
  return [
    ...(answer.reasoning === "" ? [] : [{ type: "reasoning", id: id("rs"), text: answer.reasoning, sealed } as const]),
    ...(answer.text === "" ? [] : [{ type: "message", id: id("msg"), text: answer.text } as const]),
    ...answer.calls.map((call, index) => ({ type: "function_call", id: id("fc", index), call }) as const),
  ];
}

function itemEvents(answer: Answer, item: Item, output_index: number): readonly Event[] {
  return [
    { type: "response.output_item.added", output_index, item: openItem(item) },
    ...partEvents(answer, item, { item_id: item.id, output_index }),
    { type: "response.output_item.done", output_index, item: wholeItem(item) },
  ];
}

type Place = { readonly item_id: string; readonly output_index: number };

function partEvents(answer: Answer, item: Item, place: Place): readonly Event[] {
  switch (item.type) {
    case "reasoning":
      return summaryEvents(item.text, answer.chunkSize, { ...place, summary_index: 0 });
    case "message":
      return textEvents(item.text, answer.chunkSize, { ...place, content_index: 0 });
    case "function_call": {
      const type = "response.function_call_arguments";
      const text = item.call.arguments;
      return [
        ...pieces(text, answer.chunkSize).map((delta) => ({ type: `${type}.delta`, ...place, delta })),
        { type: `${type}.done`, ...place, name: item.call.tool, arguments: text },
      ];
    }
  }
}

function summaryEvents(text: string, size: number, place: object): readonly Event[] {
  const type = "response.reasoning_summary";
  return [
    { type: `${type}_part.added`, ...place, part: { type: "summary_text", text: "" } },
    ...pieces(text, size).map((delta) => ({ type: `${type}_text.delta`, ...place, delta })),
    { type: `${type}_text.done`, ...place, text },
    { type: `${type}_part.done`, ...place, part: { type: "summary_text", text } },
  ];
}

function textEvents(text: string, size: number, place: object): readonly Event[] {
  return [
    { type: "response.content_part.added", ...place, part: textPart("") },
    ...pieces(text, size).map((delta) => ({ type: "response.output_text.delta", ...place, delta, logprobs: [] })),
    { type: "response.output_text.done", ...place, text, logprobs: [] },
    { type: "response.content_part.done", ...place, part: textPart(text) },
  ];
}

const textPart = (text: string) => ({ type: "output_text", text, annotations: [], logprobs: [] });

function openItem(item: Item): object {
  if (item.type === "reasoning") return { type: item.type, id: item.id, summary: [] };
  if (item.type === "message") {
    return { type: item.type, id: item.id, status: "in_progress", role: "assistant", content: [] };
  }
  return callItem(item.id, item.call, "in_progress");
}

function wholeItem(item: Item): object {
  if (item.type === "reasoning") {
    const summary = [{ type: "summary_text", text: item.text }];
    return { type: item.type, id: item.id, summary, ...(item.sealed ? { encrypted_content: SEALED } : {}) };
  }
  if (item.type === "message") {
    return { type: item.type, id: item.id, status: "completed", role: "assistant", content: [textPart(item.text)] };
  }
  return callItem(item.id, item.call, "completed");
}

function callItem(id: string, call: Answer["calls"][number], status: "in_progress" | "completed"): object {
  const text = status === "completed" ? call.arguments : "";
  return { type: "function_call", id, call_id: call.id, name: call.tool, arguments: text, status };
}

function status({ finish }: Answer): "completed" | "incomplete" {
  return finish === "length" || finish === "refusal" ? "incomplete" : "completed";
}

const REASONS = { length: "max_output_tokens", refusal: "content_filter" } as const;

function envelope(answer: Answer, status: string): object {
  const { body } = answer.asked;
  const { finish } = answer;
  const cut = status === "incomplete" && (finish === "length" || finish === "refusal");
  return {
    id: `resp_${answer.id}`,
    object: "response",
    created_at: 1_700_000_000,
    status,
    background: false,
    error: null,
    incomplete_details: cut ? { reason: REASONS[finish] } : null,
    model: answer.model,
    ...Object.fromEntries(Object.entries(ECHOED).map(([name, usual]) => [name, body[name] ?? usual])),
  };
}

/** Fields of the request that the answer repeats, and what they are when the request has none. */
const ECHOED = {
  instructions: null,
  max_output_tokens: null,
  metadata: {},
  parallel_tool_calls: true,
  previous_response_id: null,
  reasoning: { effort: null, summary: null },
  service_tier: "default",
  store: true,
  temperature: 1,
  text: { format: { type: "text" } },
  tool_choice: "auto",
  tools: [],
  top_p: 1,
  truncation: "disabled",
} as const;

function usage({ usage }: Answer): object {
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: promptDetails(usage),
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens, ...audio(usage.outputAudioTokens) },
    total_tokens: usage.inputTokens + usage.outputTokens,
  };
}
