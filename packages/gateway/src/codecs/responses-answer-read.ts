import { at, countAt, listAt, textAt } from "@handrail/models/json";
import type { StreamReader } from "./answer.ts";
import { type EventHandlers, typedReader } from "./typed-reader.ts";
import { streamProblem } from "./problems.ts";
import type { AnswerEvent, Finish } from "./prompt.ts";
import { row } from "./refuse.ts";
import { type Seal, SUMMARY_BREAK, unpacked } from "./seals.ts";
import { responsesUsage } from "./usage.ts";

type State = {
  /** Which call an output item is, and whether its arguments came in pieces. */
  readonly calls: Map<number, { readonly index: number; streamed: boolean }>;
  /** Items whose reasoning came in pieces. */
  readonly thought: Set<number>;
};

const newState = (): State => ({ calls: new Map(), thought: new Set() });

/** Reads a stream of Responses. */
export function responsesReader(): StreamReader {
  return typedReader(HANDLERS, newState());
}

const HANDLERS: EventHandlers<State> = {
  "response.created": (event) => [startOf(at(event, "response"))],
  "response.output_item.added": (event, state) => itemStart(place(event), at(event, "item"), state),
  "response.output_text.delta": (event) => said("text", textAt(event, "delta")),
  "response.refusal.delta": (event) => said("refusal", textAt(event, "delta")),
  "response.reasoning_summary_part.added": (event) =>
    (countAt(event, "summary_index") ?? 0) > 0 ? [{ type: "reasoning", delta: SUMMARY_BREAK }] : [],
  "response.reasoning_summary_text.delta": thoughtDelta,
  "response.reasoning_text.delta": thoughtDelta,
  "response.function_call_arguments.delta"(event, { calls }) {
    const call = calls.get(place(event));
    if (!call) return [];
    call.streamed = true;
    return [{ type: "arguments", index: call.index, delta: textAt(event, "delta") }];
  },
  "response.output_item.done": (event, state) => itemEnd(place(event), at(event, "item"), state),
  "response.completed": (event) => ending(at(event, "response")),
  "response.incomplete": (event) => ending(at(event, "response")),
  "response.failed": (event) => failure(at(event, "response")),
  error: failure,
};

const place = (event: unknown) => countAt(event, "output_index") ?? 0;

function thoughtDelta(event: unknown, { thought }: State): readonly AnswerEvent[] {
  thought.add(place(event));
  return said("reasoning", textAt(event, "delta"));
}

function failure(event: unknown): readonly AnswerEvent[] {
  const problem = streamProblem(event) ?? { status: 0, message: "The model's API broke off." };
  return [{ type: "error", problem }];
}

function startOf(response: unknown): AnswerEvent {
  return { type: "start", id: textAt(response, "id"), model: textAt(response, "model") };
}

function said(type: "text" | "reasoning" | "refusal", delta: string): readonly AnswerEvent[] {
  return delta === "" ? [] : [{ type, delta }];
}

function itemStart(at: number, item: unknown, { calls }: State): readonly AnswerEvent[] {
  if (textAt(item, "type") !== "function_call") return [];
  const index = calls.size;
  calls.set(at, { index, streamed: false });
  return [{ type: "call", index, id: textAt(item, "call_id"), name: textAt(item, "name") }];
}

function itemEnd(at: number, item: unknown, { calls, thought }: State): readonly AnswerEvent[] {
  const call = calls.get(at);
  if (call) return call.streamed ? [] : [{ type: "arguments", index: call.index, delta: textAt(item, "arguments") }];
  if (textAt(item, "type") !== "reasoning") return [];
  const text = thought.has(at) ? "" : thoughtOf(item);
  const seal = sealOf(item);
  return [...said("reasoning", text), ...(seal ? [{ type: "seal", seal } as const] : [])];
}

function summaryOf(item: unknown): readonly string[] {
  return listAt(item, "summary").map((part) => textAt(part, "text"));
}

/** The summary, or the thoughts themselves where a server gives them. */
function thoughtOf(item: unknown): string {
  const content = listAt(item, "content").map((part) => textAt(part, "text"));
  return summaryOf(item).join(SUMMARY_BREAK) || content.join("");
}

/** Without its encrypted content an item is of no use to anybody but the provider that keeps it. */
function sealOf(item: unknown): Seal | undefined {
  const encrypted = textAt(item, "encrypted_content");
  if (encrypted === "") return undefined;
  const parts = summaryOf(item).map(({ length }) => length);
  return unpacked(encrypted) ?? { kind: "item", id: textAt(item, "id"), encrypted, parts };
}

const REASONS: Readonly<Record<string, Finish>> = { max_output_tokens: "length", content_filter: "filter" };

function ending(response: unknown): readonly AnswerEvent[] {
  const usage = responsesUsage(at(response, "usage"));
  const tier = textAt(response, "service_tier");
  const called = listAt(response, "output").some((item) => textAt(item, "type") === "function_call");
  const finish = row(REASONS, textAt(response, "incomplete_details", "reason")) ?? (called ? "calls" : "stop");
  return [...(usage ? [{ type: "usage", usage, ...(tier !== "" && { tier }) } as const] : []), { type: "end", finish }];
}

/** A whole answer of Responses, as events. */
export function readResponsesAnswer(body: unknown): readonly AnswerEvent[] {
  if (textAt(body, "status") === "failed") return [startOf(body), ...failure(body)];
  const state = newState();
  const items = listAt(body, "output").flatMap((item, index) => [
    ...itemStart(index, item, state),
    ...messageEvents(item),
    ...itemEnd(index, item, state),
  ]);
  return [startOf(body), ...items, ...ending(body)];
}

function messageEvents(item: unknown): readonly AnswerEvent[] {
  if (textAt(item, "type") !== "message") return [];
  return listAt(item, "content").flatMap((part) => [
    ...said("text", textAt(part, "text")),
    ...said("refusal", textAt(part, "refusal")),
  ]);
}
