import type { Answer, AnswerPart, StreamWriter } from "./answer.ts";
import type { Client } from "./chat-answer-write.ts";
import { inOrder } from "./in-order.ts";
import { openAiProblem, writeProblem } from "./problems.ts";
import type { AnswerEvent, Finish } from "./prompt.ts";
import { contentPart, type Item, itemId, openItem, type Place, wholeItem } from "./responses-items.ts";
import { typedEvent } from "./sse.ts";
import { writeResponsesUsage } from "./usage.ts";

type Body = Readonly<Record<string, unknown>> & { readonly type: string };

type State = {
  readonly created: number;
  sequence: number;
  id: string;
  model: string;
  usage: Answer["usage"];
  readonly items: Item[];
  /** Whether the last item may grow. */
  open: boolean;
};

/** Writes a stream of Responses, with the whole sequence of events. Items come one after another. */
export function responsesWriter({ created }: Client): StreamWriter {
  const order = inOrder();
  const state: State = { created, sequence: 0, id: "", model: "", usage: undefined, items: [], open: false };
  const write = (body: Body) => typedEvent({ ...body, sequence_number: state.sequence++ });
  return {
    write: (event) =>
      order
        .take(event)
        .flatMap((ready) => bodies(ready, state))
        .map(write)
        .join(""),
  };
}

function bodies(event: AnswerEvent, state: State): readonly Body[] {
  switch (event.type) {
    case "start":
      Object.assign(state, { id: event.id, model: event.model });
      return ["response.created", "response.in_progress"].map((type) => ({ type, response: running(state) }));
    case "usage":
      state.usage = event.usage;
      return [];
    case "error":
      return failed(event, state);
    case "end":
      return [...close(state), ended(event.finish, state)];
    default:
      return grow(event, state);
  }
}

function running({ id, model, created }: State): object {
  return { ...envelope({ id, model }, created), status: "in_progress", output: [], usage: null };
}

function failed({ problem }: Extract<AnswerEvent, { type: "error" }>, state: State): readonly Body[] {
  const { message, code, param } = openAiProblem(problem) as Readonly<Record<string, string | null>>;
  const error = { code: code ?? "server_error", message };
  const response = { ...envelope(state, state.created), status: "failed", error, output: [], usage: null };
  return [
    { type: "error", code: error.code, message, param },
    { type: "response.failed", response },
  ];
}

function ended(finish: Finish, state: State): Body {
  const parts = state.items.map(({ part }) => part);
  const answer = { id: state.id, model: state.model, parts, finish, ...(state.usage ? { usage: state.usage } : {}) };
  const response = writeResponsesAnswer(answer, state);
  return { type: `response.${statusOf(finish)}`, response };
}

type PartEvent = Exclude<AnswerEvent, { type: "start" | "usage" | "error" | "end" }>;

function grow(event: PartEvent, state: State): readonly Body[] {
  switch (event.type) {
    case "call":
      return [...close(state), ...open({ type: "call", id: event.id, name: event.name, arguments: "" }, state)];
    case "arguments":
      return append(event.delta, state);
    case "seal": {
      const opened = opening({ type: "reasoning", text: "" }, state);
      const last = state.items.at(-1);
      if (last?.part.type === "reasoning")
        state.items[state.items.length - 1] = { ...last, part: { ...last.part, seal: event.seal } };
      return [...opened, ...close(state)];
    }
    default:
      return [...opening({ type: event.type, text: "" }, state), ...append(event.delta, state)];
  }
}

/** Opens an item for a part unless one of its kind is open. */
function opening(part: AnswerPart, state: State): readonly Body[] {
  if (state.open && state.items.at(-1)?.part.type === part.type) return [];
  return [...close(state), ...open(part, state)];
}

function open(part: AnswerPart, state: State): readonly Body[] {
  const item = { id: itemId(part.type, state.id, state.items.length), part };
  state.items.push(item);
  state.open = true;
  const place = placeOf(state);
  return [
    { type: "response.output_item.added", output_index: place.output_index, item: openItem(item) },
    ...partStart(part, place),
  ];
}

function partStart(part: AnswerPart, place: Place): readonly Body[] {
  if (part.type === "call" || part.type === "reasoning") return [];
  return [{ type: "response.content_part.added", ...place, content_index: 0, part: contentPart(part) }];
}

const DELTAS = {
  text: "response.output_text.delta",
  refusal: "response.refusal.delta",
  reasoning: "response.reasoning_summary_text.delta",
  call: "response.function_call_arguments.delta",
} as const;

const INDICES = {
  text: { content_index: 0 },
  refusal: { content_index: 0 },
  reasoning: { summary_index: 0 },
  call: {},
} as const;

function append(delta: string, state: State): readonly Body[] {
  const last = state.items.at(-1);
  if (!last) return [];
  const { type } = last.part;
  const first = type === "reasoning" && last.part.text === "";
  const place = placeOf(state);
  state.items[state.items.length - 1] = { ...last, part: grown(last.part, delta) };
  const extra = type === "text" ? { logprobs: [] } : {};
  const added = { type: "response.reasoning_summary_part.added", ...place, summary_index: 0, part: summary("") };
  return [...(first ? [added] : []), { type: DELTAS[type], ...place, ...INDICES[type], delta, ...extra }];
}

function grown(part: AnswerPart, delta: string): AnswerPart {
  return part.type === "call" ? { ...part, arguments: part.arguments + delta } : { ...part, text: part.text + delta };
}

function close(state: State): readonly Body[] {
  const last = state.items.at(-1);
  if (!state.open || !last) return [];
  state.open = false;
  const place = placeOf(state);
  const done = { type: "response.output_item.done", output_index: place.output_index, item: wholeItem(last) };
  return [...partEnd(last.part, place), done];
}

function partEnd(part: AnswerPart, place: Place): readonly Body[] {
  switch (part.type) {
    case "call":
      return [{ type: "response.function_call_arguments.done", ...place, name: part.name, arguments: part.arguments }];
    case "reasoning": {
      const at = { ...place, summary_index: 0 };
      if (part.text === "") return [];
      return [
        { type: "response.reasoning_summary_text.done", ...at, text: part.text },
        { type: "response.reasoning_summary_part.done", ...at, part: summary(part.text) },
      ];
    }
    default: {
      const at = { ...place, content_index: 0 };
      const done = part.type === "text" ? { text: part.text, logprobs: [] } : { refusal: part.text };
      const type = part.type === "text" ? "response.output_text.done" : "response.refusal.done";
      return [
        { type, ...at, ...done },
        { type: "response.content_part.done", ...at, part: contentPart(part) },
      ];
    }
  }
}

const summary = (text: string) => ({ type: "summary_text", text });

function placeOf({ items }: State): Place {
  return { item_id: items.at(-1)?.id ?? "", output_index: items.length - 1 };
}

function statusOf(finish: Finish | undefined): "completed" | "incomplete" {
  return finish === "length" || finish === "overflow" || finish === "filter" ? "incomplete" : "completed";
}

/** What a client may look for in an answer; nothing of the request is repeated. */
const USUAL = {
  error: null,
  incomplete_details: null,
  instructions: null,
  metadata: {},
  parallel_tool_calls: true,
  temperature: null,
  tool_choice: "auto",
  tools: [],
  top_p: null,
  background: false,
  max_output_tokens: null,
  previous_response_id: null,
  store: false,
  text: { format: { type: "text" } },
  truncation: "disabled",
} as const;

function envelope({ id, model }: { readonly id: string; readonly model: string }, created: number): object {
  return { id, object: "response", created_at: created, ...USUAL, model };
}

/** A whole answer of Responses. */
export function writeResponsesAnswer(answer: Answer, { created }: Pick<Client, "created">): object {
  if (answer.problem) return writeProblem("responses", answer.problem);
  const status = statusOf(answer.finish);
  const reason = answer.finish === "filter" ? "content_filter" : "max_output_tokens";
  return {
    ...envelope(answer, created),
    status,
    incomplete_details: status === "incomplete" ? { reason } : null,
    output: answer.parts.map((part, index) => wholeItem({ id: itemId(part.type, answer.id, index), part })),
    usage: answer.usage ? writeResponsesUsage(answer.usage) : null,
  };
}
