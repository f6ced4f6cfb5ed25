import { at, countAt, listAt, textAt } from "@handrail/models/json";
import type { StreamReader } from "./answer.ts";
import { type EventHandlers, typedReader } from "./typed-reader.ts";
import { streamProblem } from "./problems.ts";
import type { AnswerEvent, Finish } from "./prompt.ts";
import { row } from "./refuse.ts";
import { type Seal, unpacked } from "./seals.ts";
import { messagesUsage } from "./usage.ts";

type State = {
  /** Of the message's start, which its end completes. */
  usage: object;
  /** Which call a block is. */
  readonly calls: Map<number, number>;
  /** Signatures, which may come in pieces. */
  readonly signatures: Map<number, string>;
  finish: AnswerEvent | undefined;
};

/** Reads a stream of Messages. */
export function messagesReader(): StreamReader {
  return typedReader(HANDLERS, { usage: {}, calls: new Map(), signatures: new Map(), finish: undefined });
}

const HANDLERS: EventHandlers<State> = {
  message_start(event, state) {
    const message = at(event, "message");
    return [startOf(message), ...usageEvents(at(message, "usage"), state)];
  },
  content_block_start: (event, state) => blockStart(countAt(event, "index") ?? 0, at(event, "content_block"), state),
  content_block_delta: (event, state) => blockDelta(countAt(event, "index") ?? 0, at(event, "delta"), state),
  content_block_stop(event, state) {
    const index = countAt(event, "index") ?? 0;
    const signature = state.signatures.get(index);
    state.signatures.delete(index);
    return signature ? [{ type: "seal", seal: sealOf(signature) }] : [];
  },
  message_delta(event, state) {
    const reason = textAt(event, "delta", "stop_reason");
    if (reason !== "") state.finish = endOf(reason, at(event, "delta", "stop_sequence"));
    return usageEvents(at(event, "usage"), state);
  },
  message_stop: (_, { finish }) => (finish ? [finish] : []),
  error: (event) => {
    const problem = streamProblem(event);
    return problem ? [{ type: "error", problem }] : [];
  },
};

function startOf(message: unknown): AnswerEvent {
  return { type: "start", id: textAt(message, "id"), model: textAt(message, "model") };
}

/** The counts of the end replace those of the start, and what the end leaves out stays. */
function usageEvents(usage: unknown, state: State): readonly AnswerEvent[] {
  if (typeof usage !== "object" || usage === null) return [];
  state.usage = { ...state.usage, ...Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== null)) };
  const read = messagesUsage(state.usage);
  const tier = textAt(state.usage, "service_tier");
  return read ? [{ type: "usage", usage: read, ...(tier !== "" && { tier }) }] : [];
}

function blockStart(index: number, block: unknown, state: State): readonly AnswerEvent[] {
  switch (textAt(block, "type")) {
    case "text":
      return said("text", textAt(block, "text"));
    case "thinking":
      state.signatures.set(index, textAt(block, "signature"));
      return said("reasoning", textAt(block, "thinking"));
    case "redacted_thinking": {
      const data = textAt(block, "data");
      return [{ type: "seal", seal: unpacked(data) ?? { kind: "redacted", data } }];
    }
    case "tool_use": {
      const call = state.calls.size;
      state.calls.set(index, call);
      return [
        { type: "call", index: call, id: textAt(block, "id"), name: textAt(block, "name") },
        ...input(call, block),
      ];
    }
    default:
      return [];
  }
}

/** A server may give the whole input with the block's start. */
function input(index: number, block: unknown): readonly AnswerEvent[] {
  const value = at(block, "input");
  const empty = value === undefined || Object.keys(Object(value)).length === 0;
  return empty ? [] : [{ type: "arguments", index, delta: JSON.stringify(value) }];
}

function blockDelta(index: number, delta: unknown, state: State): readonly AnswerEvent[] {
  switch (textAt(delta, "type")) {
    case "text_delta":
      return said("text", textAt(delta, "text"));
    case "thinking_delta":
      return said("reasoning", textAt(delta, "thinking"));
    case "signature_delta":
      state.signatures.set(index, (state.signatures.get(index) ?? "") + textAt(delta, "signature"));
      return [];
    case "input_json_delta": {
      const call = state.calls.get(index);
      const text = textAt(delta, "partial_json");
      return call === undefined || text === "" ? [] : [{ type: "arguments", index: call, delta: text }];
    }
    default:
      return [];
  }
}

function said(type: "text" | "reasoning", delta: string): readonly AnswerEvent[] {
  return delta === "" ? [] : [{ type, delta }];
}

function sealOf(signature: string): Seal {
  return unpacked(signature) ?? { kind: "thinking", signature };
}

const FINISHES: Readonly<Record<string, Finish>> = {
  end_turn: "stop",
  tool_use: "calls",
  max_tokens: "length",
  stop_sequence: "sequence",
  refusal: "filter",
  pause_turn: "pause",
  model_context_window_exceeded: "overflow",
};

function endOf(reason: string, sequence: unknown): AnswerEvent {
  const finish = row(FINISHES, reason) ?? "stop";
  return { type: "end", finish, ...(typeof sequence === "string" ? { sequence } : {}) };
}

/** A whole answer of Messages, as events. Its `content` may hold exact numbers. */
export function readMessagesAnswer(body: unknown): readonly AnswerEvent[] {
  const state: State = { usage: {}, calls: new Map(), signatures: new Map(), finish: undefined };
  const blocks = listAt(body, "content").flatMap((block, index) => [
    ...blockStart(index, block, state),
    ...emptyInput(index, block, state),
    ...(HANDLERS["content_block_stop"]?.({ index }, state) ?? []),
  ]);
  const end = endOf(textAt(body, "stop_reason"), at(body, "stop_sequence"));
  return [startOf(body), ...blocks, ...usageEvents(at(body, "usage"), state), end];
}

/** Where a stream says nothing more of an input, a whole answer means an empty one. */
function emptyInput(index: number, block: unknown, { calls }: State): readonly AnswerEvent[] {
  const call = calls.get(index);
  return call === undefined || input(call, block).length > 0 ? [] : [{ type: "arguments", index: call, delta: "{}" }];
}
