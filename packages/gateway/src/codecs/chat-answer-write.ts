import type { Answer, AnswerPart, StreamWriter } from "./answer.ts";
import { openAiProblem, writeProblem } from "./problems.ts";
import type { AnswerEvent, Finish } from "./prompt.ts";
import { packed, type Seal } from "./seals.ts";
import { dataEvent } from "./sse.ts";
import { writeChatUsage } from "./usage.ts";

const FINISHES: Readonly<Record<Finish, string>> = {
  stop: "stop",
  sequence: "stop",
  pause: "stop",
  calls: "tool_calls",
  length: "length",
  overflow: "length",
  filter: "content_filter",
};

/** For whom a stream is written. `created` in seconds. */
export type Client = { readonly usageAsked: boolean; readonly created: number };

/** Writes a stream of Chat Completions. Usage comes only to clients that asked for it. */
export function chatWriter({ usageAsked, created }: Client): StreamWriter {
  let id = "";
  let model = "";
  let usage = "";
  let thought = "";
  const chunk = (fields: object) => dataEvent({ id, object: "chat.completion.chunk", created, model, ...fields });
  const delta = (delta: object, finish: string | null = null) =>
    chunk({ choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] });

  const write = (event: AnswerEvent): string => {
    switch (event.type) {
      case "start":
        ({ id, model } = event);
        return delta({ role: "assistant", content: "" });
      case "usage":
        usage = usageAsked ? chunk({ choices: [], usage: writeChatUsage(event.usage) }) : "";
        return "";
      case "end":
        return `${delta({}, FINISHES[event.finish])}${usage}data: [DONE]\n\n`;
      case "error":
        return dataEvent({ error: openAiProblem(event.problem) });
      case "seal": {
        const block = blockOf(thought, event.seal);
        thought = "";
        return delta({ thinking_blocks: [block] });
      }
      default:
        if (event.type === "reasoning") thought += event.delta;
        return delta(deltaOf(event));
    }
  };
  return { write };
}

type DeltaEvent = Exclude<AnswerEvent, { type: "start" | "usage" | "end" | "error" | "seal" }>;

function deltaOf(event: DeltaEvent): object {
  switch (event.type) {
    case "text":
      return { content: event.delta };
    case "reasoning":
      return { reasoning_content: event.delta };
    case "refusal":
      return { refusal: event.delta };
    case "call":
      return {
        tool_calls: [
          { index: event.index, id: event.id, type: "function", function: { name: event.name, arguments: "" } },
        ],
      };
    case "arguments":
      return { tool_calls: [{ index: event.index, function: { arguments: event.delta } }] };
  }
}

/** A thinking block as LiteLLM has it, with another provider's seal packed into the signature. */
function blockOf(text: string, seal: Seal): object {
  if (seal.kind === "redacted") return { type: "redacted_thinking", data: seal.data };
  const signature = seal.kind === "thinking" ? seal.signature : packed(seal);
  return { type: "thinking", thinking: text, signature };
}

/** A whole answer of Chat Completions. */
export function writeChatAnswer(answer: Answer, { created }: Client): object {
  if (answer.problem) return writeProblem("chat", answer.problem);
  const choice = { index: 0, message: messageOf(answer.parts), logprobs: null };
  return {
    id: answer.id,
    object: "chat.completion",
    created,
    model: answer.model,
    choices: [{ ...choice, finish_reason: FINISHES[answer.finish ?? "stop"] }],
    ...(answer.usage ? { usage: writeChatUsage(answer.usage) } : {}),
  };
}

function messageOf(parts: readonly AnswerPart[]): object {
  const text = textsOf(parts, "text");
  const refusal = textsOf(parts, "refusal");
  const thoughts = parts.filter((part) => part.type === "reasoning");
  const reasoning = thoughts.map(({ text }) => text).join("");
  const blocks = thoughts.flatMap(({ text, seal }) => (seal ? [blockOf(text, seal)] : []));
  const calls = parts.filter((part) => part.type === "call");
  return {
    role: "assistant",
    content: text === "" ? null : text,
    refusal: refusal === "" ? null : refusal,
    ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
    ...(blocks.length === 0 ? {} : { thinking_blocks: blocks }),
    ...(calls.length === 0 ? {} : { tool_calls: calls.map(wholeCall) }),
  };
}

function textsOf(parts: readonly AnswerPart[], type: "text" | "refusal"): string {
  return parts.map((part) => (part.type === type ? part.text : "")).join("");
}

function wholeCall(call: Extract<AnswerPart, { type: "call" }>): object {
  return { id: call.id, type: "function", function: { name: call.name, arguments: call.arguments } };
}
