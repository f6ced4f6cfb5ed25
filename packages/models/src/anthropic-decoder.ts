import type { ModelEnd, ModelPart } from "@handrail/core/ports/model";
import type { Usage } from "@handrail/protocol/limits";
import { type Decoded, type DecodedEnd, type Decoder, StreamError } from "./dialect.ts";
import { at, countAt, type Json, textAt } from "./json.ts";
import { type Owner, tagged } from "./provider-data.ts";

type Gathered = {
  readonly type: "text" | "thinking" | "redacted_thinking" | "tool_use";
  text: string;
  signature: string;
  readonly id: string;
  readonly name: string;
  /** Counts the calls of the answer from 0. */
  readonly call: number;
};

/** Decodes one Messages stream (platform.claude.com/docs/en/build-with-claude/streaming). */
export function anthropicDecoder(owner: Owner): Decoder {
  const blocks = new Map<number, Gathered>();
  let model = owner.model;
  let stopReason = "";
  let usage: Record<string, number> = {};

  const start = (event: Json): readonly Decoded[] => {
    const calls = [...blocks.values()].filter((block) => block.type === "tool_use").length;
    const block = gathered(at(event, "content_block"), calls);
    if (!block) return [];
    blocks.set(countAt(event, "index") ?? blocks.size, block);
    return firstOutput(block);
  };
  const end = (): DecodedEnd => {
    const content = [...blocks.entries()].sort(([a], [b]) => a - b).flatMap(([, block]) => partOf(block, owner));
    return { type: "end", finish: finishOf(stopReason), content, usage: usageOf(usage), model };
  };
  return {
    take(event) {
      switch (textAt(event, "type")) {
        case "message_start":
          model = textAt(event, "message", "model") || model;
          usage = { ...usage, ...counts(at(event, "message", "usage")) };
          return [];
        case "content_block_start":
          return start(event);
        case "content_block_delta":
          return delta(blocks.get(countAt(event, "index") ?? -1), at(event, "delta"));
        case "message_delta":
          stopReason = textAt(event, "delta", "stop_reason") || stopReason;
          usage = { ...usage, ...counts(at(event, "usage")) };
          return [];
        case "message_stop":
          return [end()];
        case "error":
          throw new StreamError(JSON.stringify(event));
        default:
          return [];
      }
    },
    atEof: () => (stopReason === "" ? undefined : end()),
  };
}

function gathered(block: Json, call: number): Gathered | undefined {
  const common = { signature: textAt(block, "signature"), id: textAt(block, "id"), name: textAt(block, "name"), call };
  switch (textAt(block, "type")) {
    case "text":
      return { ...common, type: "text", text: textAt(block, "text") };
    case "thinking":
      return { ...common, type: "thinking", text: textAt(block, "thinking") };
    case "redacted_thinking":
      return { ...common, type: "redacted_thinking", text: textAt(block, "data") };
    case "tool_use":
      return { ...common, type: "tool_use", text: wholeInput(at(block, "input")) };
    default:
      return undefined;
  }
}

/** Input comes in deltas; some servers send it whole at the start. */
function wholeInput(input: Json): string {
  return typeof input === "object" && input !== null && Object.keys(input).length > 0 ? JSON.stringify(input) : "";
}

function firstOutput({ type, text, name, id, call }: Gathered): readonly Decoded[] {
  if (type === "tool_use") return [{ type: "call", index: call, tool: name, providerId: id, delta: text }];
  if (text === "" || type === "redacted_thinking") return [];
  return [{ type: type === "text" ? "text" : "reasoning", delta: text }];
}

function delta(block: Gathered | undefined, change: Json): readonly Decoded[] {
  if (!block) return [];
  block.signature += textAt(change, "signature");
  const more = textAt(change, DELTA_FIELDS[textAt(change, "type")] ?? "");
  if (more === "") return [];
  block.text += more;
  if (block.type === "tool_use") return [{ type: "call", index: block.call, delta: more }];
  return [{ type: block.type === "text" ? "text" : "reasoning", delta: more }];
}

const DELTA_FIELDS: Readonly<Record<string, string>> = {
  text_delta: "text",
  thinking_delta: "thinking",
  input_json_delta: "partial_json",
};

function partOf(block: Gathered, owner: Owner): readonly ModelPart[] {
  switch (block.type) {
    case "text":
      return block.text === "" ? [] : [{ type: "text", text: block.text }];
    case "thinking":
      return [{ type: "reasoning", text: block.text, provider: tagged(owner, { signature: block.signature }) }];
    case "redacted_thinking":
      return [{ type: "reasoning", text: "", provider: tagged(owner, { redacted: block.text }) }];
    case "tool_use":
      return [{ type: "call", providerId: block.id, tool: block.name, arguments: block.text }];
  }
}

/** `pause_turn` and `stop_sequence` end a turn like `end_turn`; a full context window cuts like `max_tokens`. */
function finishOf(reason: string): ModelEnd["finish"] {
  if (reason === "tool_use") return "calls";
  if (reason === "max_tokens" || reason === "model_context_window_exceeded") return "length";
  return reason === "refusal" ? "refusal" : "stop";
}

const COUNTED = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens"];

/** The last report of each count holds: those of `message_delta` are sums. */
function counts(usage: Json): Record<string, number> {
  const found = COUNTED.map((name) => [name, countAt(usage, name)] as const);
  return Object.fromEntries(found.filter((entry): entry is [string, number] => entry[1] !== undefined));
}

/** Here the API's `input_tokens` leaves out what the cache read and wrote. */
function usageOf(usage: Record<string, number>): Usage | undefined {
  if (Object.keys(usage).length === 0) return undefined;
  const cacheReadTokens = usage["cache_read_input_tokens"] ?? 0;
  const cacheWriteTokens = usage["cache_creation_input_tokens"] ?? 0;
  return {
    inputTokens: (usage["input_tokens"] ?? 0) + cacheReadTokens + cacheWriteTokens,
    outputTokens: usage["output_tokens"] ?? 0,
    cacheReadTokens,
    cacheWriteTokens,
    reasoningTokens: 0,
  };
}
