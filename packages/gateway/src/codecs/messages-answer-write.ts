import { NO_TOKENS } from "../ports/token-usage.ts";
import type { Answer, AnswerPart, StreamWriter } from "./answer.ts";
import { exactObject } from "./exact-json.ts";
import { inOrder } from "./in-order.ts";
import { writeProblem } from "./problems.ts";
import type { AnswerEvent, Finish } from "./prompt.ts";
import { packed, type Seal } from "./seals.ts";
import { typedEvent } from "./sse.ts";
import { writeMessagesUsage } from "./usage.ts";

const FINISHES: Readonly<Record<Finish, string>> = {
  stop: "end_turn",
  calls: "tool_use",
  length: "max_tokens",
  sequence: "stop_sequence",
  filter: "refusal",
  pause: "pause_turn",
  overflow: "model_context_window_exceeded",
};

type Kind = "text" | "thinking" | "tool_use";

type State = {
  index: number;
  open: Kind | undefined;
  usage: object | undefined;
};

/** Writes a stream of Messages. Calls come one after another. */
export function messagesWriter(): StreamWriter {
  const order = inOrder();
  const state: State = { index: -1, open: undefined, usage: undefined };
  return {
    write: (event) =>
      order
        .take(event)
        .map((ready) => writeEvent(ready, state))
        .join(""),
  };
}

function writeEvent(event: AnswerEvent, state: State): string {
  switch (event.type) {
    case "start":
      return typedEvent({ type: "message_start", message: { ...envelope(event), ...START } });
    case "usage":
      state.usage = writeMessagesUsage(event.usage);
      return "";
    case "error":
      return typedEvent({ type: "error", ...writeProblem("messages", event.problem) });
    case "end":
      return close(state) + ending(event, state);
    default:
      return writePart(event, state);
  }
}

/** What is known when a message begins. */
const START = { content: [], stop_reason: null, stop_sequence: null, usage: writeMessagesUsage(NO_TOKENS) };

function ending({ finish, sequence }: Extract<AnswerEvent, { type: "end" }>, { usage }: State): string {
  const delta = { stop_reason: FINISHES[finish], stop_sequence: sequence ?? null };
  const counted = usage ?? { output_tokens: 0 };
  return typedEvent({ type: "message_delta", delta, usage: counted }) + typedEvent({ type: "message_stop" });
}

type PartEvent = Exclude<AnswerEvent, { type: "start" | "usage" | "error" | "end" }>;

function writePart(event: PartEvent, state: State): string {
  switch (event.type) {
    case "text":
    case "refusal":
      return open(state, "text", { type: "text", text: "" }) + delta(state, { type: "text_delta", text: event.delta });
    case "reasoning":
      return (
        open(state, "thinking", { type: "thinking", thinking: "", signature: "" }) +
        delta(state, { type: "thinking_delta", thinking: event.delta })
      );
    case "seal":
      return seal(state, event.seal);
    case "call": {
      const block = { type: "tool_use", id: event.id, name: event.name, input: {} };
      return close(state) + open(state, "tool_use", block);
    }
    case "arguments":
      return delta(state, { type: "input_json_delta", partial_json: event.delta });
  }
}

function seal(state: State, seal: Seal): string {
  if (seal.kind === "redacted") {
    return close(state) + open(state, "thinking", { type: "redacted_thinking", data: seal.data }) + close(state);
  }
  const signature = { type: "signature_delta", signature: signatureOf(seal) };
  return (
    open(state, "thinking", { type: "thinking", thinking: "", signature: "" }) + delta(state, signature) + close(state)
  );
}

/** The signature of a thinking block, into which other providers' seals are packed. */
function signatureOf(seal: Seal): string {
  return seal.kind === "thinking" ? seal.signature : packed(seal);
}

/** Opens a block unless one of its kind is open. */
function open(state: State, kind: Kind, content_block: object): string {
  if (state.open === kind) return "";
  const closed = close(state);
  state.open = kind;
  state.index += 1;
  return closed + typedEvent({ type: "content_block_start", index: state.index, content_block });
}

function delta({ index }: State, delta: object): string {
  return typedEvent({ type: "content_block_delta", index, delta });
}

function close(state: State): string {
  if (state.open === undefined) return "";
  state.open = undefined;
  return typedEvent({ type: "content_block_stop", index: state.index });
}

function envelope({ id, model }: { readonly id: string; readonly model: string }): object {
  return { id, type: "message", role: "assistant", model };
}

/** A whole answer of Messages. */
export function writeMessagesAnswer(answer: Answer): object {
  if (answer.problem) return writeProblem("messages", answer.problem);
  return {
    ...envelope(answer),
    content: answer.parts.map(blockOf),
    stop_reason: FINISHES[answer.finish ?? "stop"],
    stop_sequence: answer.sequence ?? null,
    usage: writeMessagesUsage(answer.usage ?? NO_TOKENS),
  };
}

function blockOf(part: AnswerPart): object {
  switch (part.type) {
    case "call":
      return { type: "tool_use", id: part.id, name: part.name, input: exactObject(part.arguments) };
    case "reasoning":
      if (part.seal?.kind === "redacted") return { type: "redacted_thinking", data: part.seal.data };
      return { type: "thinking", thinking: part.text, signature: part.seal ? signatureOf(part.seal) : "" };
    default:
      return { type: "text", text: part.text };
  }
}
