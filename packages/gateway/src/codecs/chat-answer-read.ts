import { at, countAt, listAt, parseJson, textAt } from "@handrail/models/json";
import type { StreamReader } from "./answer.ts";
import { streamProblem } from "./problems.ts";
import type { AnswerEvent, Finish } from "./prompt.ts";
import { row } from "./refuse.ts";
import { type Seal, unpacked } from "./seals.ts";
import { chatUsage, costIn } from "./usage.ts";

/** Reads streamed chunks of Chat Completions. */
export function chatReader(): StreamReader {
  let started = false;
  let finish: Finish | undefined;
  let ended = false;
  const seen = new Map<number, string>();

  const end = (): readonly AnswerEvent[] => {
    if (ended || finish === undefined) return [];
    ended = true;
    return [{ type: "end", finish: withCalls(finish, seen.size) }];
  };
  const take = (chunk: unknown): AnswerEvent[] => {
    const problem = streamProblem(chunk);
    if (problem) return [{ type: "error", problem }];
    const events: AnswerEvent[] = started ? [] : [startOf(chunk)];
    started = true;
    const choice = listAt(chunk, "choices")[0];
    events.push(...deltaEvents(at(choice, "delta"), seen));
    const reason = textAt(choice, "finish_reason");
    if (reason !== "") finish = row(FINISHES, reason) ?? "stop";
    events.push(...usageEvents(chunk));
    return events;
  };
  return {
    take(data) {
      if (data === "[DONE]") return end();
      const chunk = parseJson(data);
      return chunk === undefined ? [garbled] : take(chunk);
    },
    close: end,
  };
}

/** What an event that is no JSON is. */
export const garbled: AnswerEvent = {
  type: "error",
  problem: { status: 0, message: "The model's API sent an event that is not JSON." },
};

/** A whole answer of Chat Completions, as events. */
export function readChatAnswer(body: unknown): readonly AnswerEvent[] {
  const choice = listAt(body, "choices")[0];
  const message = at(choice, "message");
  const calls = listAt(message, "tool_calls").map((call, index) => ({ ...Object(call), index }) as unknown);
  const delta = { ...Object(message), tool_calls: calls } as unknown;
  const finish = row(FINISHES, textAt(choice, "finish_reason")) ?? "stop";
  return [
    startOf(body),
    ...deltaEvents(delta, new Map()),
    ...usageEvents(body),
    { type: "end", finish: withCalls(finish, calls.length) },
  ];
}

/** Ollama and others say `stop` also when they call. */
function withCalls(finish: Finish, calls: number): Finish {
  return finish === "stop" && calls > 0 ? "calls" : finish;
}

const FINISHES: Readonly<Record<string, Finish>> = {
  stop: "stop",
  tool_calls: "calls",
  function_call: "calls",
  length: "length",
  max_tokens: "length",
  content_filter: "filter",
};

function usageEvents(body: unknown): readonly AnswerEvent[] {
  const told = at(body, "usage");
  const usage = chatUsage(told);
  const costUsd = costIn(told);
  const tier = textAt(body, "service_tier");
  return usage
    ? [{ type: "usage", usage, ...(costUsd !== undefined && { costUsd }), ...(tier !== "" && { tier }) }]
    : [];
}

function startOf(chunk: unknown): AnswerEvent {
  return { type: "start", id: textAt(chunk, "id"), model: textAt(chunk, "model") };
}

function deltaEvents(delta: unknown, seen: Map<number, string>): readonly AnswerEvent[] {
  return [
    ...reasoningEvents(delta),
    ...said("text", textOf(at(delta, "content"))),
    ...said("refusal", textAt(delta, "refusal")),
    ...listAt(delta, "tool_calls").flatMap((call) => callEvents(call, seen)),
  ];
}

/** Mistral's reasoning models give content as parts. */
function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  return listAt(content)
    .map((part) => textAt(part, "text"))
    .join("");
}

function said(type: "text" | "reasoning" | "refusal", delta: string): readonly AnswerEvent[] {
  return delta === "" ? [] : [{ type, delta }];
}

/** `reasoning_content` is DeepSeek's, vLLM's and LiteLLM's, `reasoning` OpenRouter's and Ollama's. */
function reasoningEvents(delta: unknown): readonly AnswerEvent[] {
  const plain = textAt(delta, "reasoning_content") || textAt(delta, "reasoning");
  const blocks = listAt(delta, "thinking_blocks");
  const sealed = blocks.flatMap((block): AnswerEvent[] => {
    const seal = sealOf(block);
    return seal ? [{ type: "seal", seal }] : [];
  });
  // A whole message has several blocks, each with its own text; a chunk has the text only once.
  if (blocks.length > 1) return blocks.flatMap(blockEvents);
  return [...said("reasoning", plain), ...sealed];
}

function blockEvents(block: unknown): readonly AnswerEvent[] {
  const seal = sealOf(block);
  return [...said("reasoning", textAt(block, "thinking")), ...(seal ? [{ type: "seal", seal } as const] : [])];
}

function sealOf(block: unknown): Seal | undefined {
  const data = textAt(block, "data");
  const signature = textAt(block, "signature");
  if (data !== "") return unpacked(data) ?? { kind: "redacted", data };
  return signature === "" ? undefined : (unpacked(signature) ?? { kind: "thinking", signature });
}

/** Some servers repeat the id with every piece, and some give no index. */
function callEvents(call: unknown, seen: Map<number, string>): readonly AnswerEvent[] {
  const id = textAt(call, "id");
  const index = countAt(call, "index") ?? indexOf(id, seen);
  const delta = textAt(call, "function", "arguments");
  const name = textAt(call, "function", "name");
  const events: AnswerEvent[] = [];
  if (!seen.has(index)) {
    seen.set(index, id);
    events.push({ type: "call", index, id: id || `call_${index}`, name });
  }
  if (delta !== "") events.push({ type: "arguments", index, delta });
  return events;
}

function indexOf(id: string, seen: Map<number, string>): number {
  const same = [...seen].find(([, other]) => other === id);
  if (same) return same[0];
  return id === "" ? Math.max(0, seen.size - 1) : seen.size;
}
