import type { LanguageModelV4FinishReason, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import type { AnswerEvent, Finish } from "../codecs/prompt.ts";
import { markedId } from "./call-ids.ts";
import { sdkUsage } from "./sdk-usage.ts";

/** Reads the stream of an AI SDK provider. A `finish` that says the stream was cut gives no end. */
export type SdkReader = { take(part: LanguageModelV4StreamPart): readonly AnswerEvent[] };

type State = {
  started: boolean;
  readonly model: string;
  readonly calls: Map<string, number>;
  /** What the provider wants back with the reasoning or text that is being given. */
  metadata: object | undefined;
};

/** @throws what an `error` part holds */
export function sdkReader(model: string): SdkReader {
  const state: State = { started: false, model, calls: new Map(), metadata: undefined };
  return {
    take(part) {
      const events = eventsOf(part, state);
      if (state.started || events.length === 0) return events;
      state.started = true;
      return events[0]?.type === "start" ? events : [{ type: "start", id: "", model }, ...events];
    },
  };
}

function eventsOf(part: LanguageModelV4StreamPart, state: State): readonly AnswerEvent[] {
  switch (part.type) {
    case "error":
      throw part.error;
    case "response-metadata":
      return state.started ? [] : [{ type: "start", id: part.id ?? "", model: part.modelId ?? state.model }];
    case "finish":
      return finishEvents(part);
    case "tool-input-start":
    case "tool-input-delta":
    case "tool-call":
      return callEvents(part, state);
    default:
      return textEvents(part, state);
  }
}

type Finishing = Extract<LanguageModelV4StreamPart, { type: "finish" }>;

function finishEvents({ finishReason, usage }: Finishing): readonly AnswerEvent[] {
  const finish = finishOf(finishReason);
  const counted = sdkUsage(usage);
  return [
    ...(counted ? [{ type: "usage", usage: counted } as const] : []),
    ...(finish ? [{ type: "end", finish } as const] : []),
  ];
}

const FINISHES: Readonly<Partial<Record<LanguageModelV4FinishReason["unified"], Finish>>> = {
  stop: "stop",
  length: "length",
  "content-filter": "filter",
  "tool-calls": "calls",
};

function finishOf({ unified, raw }: LanguageModelV4FinishReason): Finish | undefined {
  if (raw === "stop_sequence") return "sequence";
  const known = FINISHES[unified];
  return known ?? (unified === "other" && raw !== undefined ? "stop" : undefined);
}

type CallPart = Extract<LanguageModelV4StreamPart, { type: "tool-input-start" | "tool-input-delta" | "tool-call" }>;

function callEvents(part: CallPart, state: State): readonly AnswerEvent[] {
  if (part.type === "tool-input-delta") {
    const index = state.calls.get(part.id);
    return index === undefined || part.delta === "" ? [] : [{ type: "arguments", index, delta: part.delta }];
  }
  if (part.type === "tool-input-start") {
    return [startCall(state, { id: part.id, name: part.toolName, metadata: part.providerMetadata })];
  }
  if (state.calls.has(part.toolCallId)) return [];
  const call = startCall(state, { id: part.toolCallId, name: part.toolName, metadata: part.providerMetadata });
  return [call, { type: "arguments", index: call.index, delta: part.input }];
}

type NewCall = { readonly id: string; readonly name: string; readonly metadata: object | undefined };

function startCall({ calls }: State, { id, name, metadata }: NewCall): Extract<AnswerEvent, { type: "call" }> {
  const index = calls.size;
  calls.set(id, index);
  return { type: "call", index, id: markedId(id, metadata), name };
}

function textEvents(part: LanguageModelV4StreamPart, state: State): readonly AnswerEvent[] {
  if ("providerMetadata" in part && part.providerMetadata && SEALED.has(part.type)) {
    state.metadata = { ...state.metadata, ...part.providerMetadata };
  }
  switch (part.type) {
    case "text-delta":
      return said("text", part.delta);
    case "reasoning-delta":
      return said("reasoning", part.delta);
    case "reasoning-end":
      return sealOf(state);
    case "text-end":
      return sealOf(state, "text");
    default:
      return [];
  }
}

const SEALED = new Set(["text-start", "text-delta", "text-end", "reasoning-start", "reasoning-delta", "reasoning-end"]);

function said(type: "text" | "reasoning", delta: string): readonly AnswerEvent[] {
  return delta === "" ? [] : [{ type, delta }];
}

function sealOf(state: State, on?: "text"): readonly AnswerEvent[] {
  const { metadata } = state;
  state.metadata = undefined;
  if (metadata === undefined || Object.keys(metadata).length === 0) return [];
  return [{ type: "seal", seal: { kind: "sdk", metadata, ...(on === undefined ? {} : { on }) } }];
}
