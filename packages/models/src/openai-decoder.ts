import { randomUUID } from "node:crypto";
import type { ModelEnd, ModelPart } from "@handrail/core/ports/model";
import type { Decoded, DecodedEnd, Decoder } from "./dialect.ts";
import { at, type Json, listAt, textAt } from "./json.ts";
import { openAiCalls } from "./openai-calls.ts";
import { openAiReasoning } from "./openai-reasoning.ts";
import { openAiUsage } from "./openai-usage.ts";
import type { Owner } from "./provider-data.ts";

/** Decodes one Chat Completions answer, streamed or whole. `newId` names calls that come without an id. */
export function openAiDecoder(owner: Owner, newId: () => string = () => `call_${randomUUID().slice(0, 8)}`): Decoder {
  const reasoning = openAiReasoning(owner);
  const calls = openAiCalls(owner, newId);
  let text = "";
  let refused = false;
  let finish = "";
  let model = "";
  let usage: Json;

  const say = (delta: string): readonly Decoded[] => {
    text += delta;
    return delta === "" ? [] : [{ type: "text", delta }];
  };
  const takeDelta = (delta: Json): readonly Decoded[] => {
    const refusal = textAt(delta, "refusal");
    refused ||= refusal !== "";
    return [...reasoning.take(delta), ...say(saidBy(delta) + refusal), ...calls.take(listAt(delta, "tool_calls"))];
  };
  const end = (): DecodedEnd => {
    const content: readonly ModelPart[] = [
      ...reasoning.part(),
      ...(text === "" ? [] : [{ type: "text", text } as const]),
      ...calls.parts(),
    ];
    const answeredBy = model || owner.model;
    const why = finishOf(refused ? "refusal" : finish, calls.parts().length > 0);
    return { type: "end", finish: why, content, model: answeredBy, ...openAiUsage(usage) };
  };
  return {
    take(data) {
      if (data === "[DONE]") return [end()];
      const choice = at(data, "choices", 0);
      model = textAt(data, "model") || model;
      usage = at(data, "usage") ?? usage;
      finish = textAt(choice, "finish_reason") || finish;
      return takeDelta(at(choice, "delta") ?? at(choice, "message"));
    },
    atEof: () => (finish === "" ? undefined : end()),
  };
}

/** Text of a delta. Some servers send a list of parts. */
function saidBy(delta: Json): string {
  const parts = listAt(delta, "content").filter((part) => textAt(part, "type") === "text");
  return textAt(delta, "content") + parts.map((part) => textAt(part, "text")).join("");
}

/** Several servers say `stop` although they called a tool, or nothing at all. */
function finishOf(reason: string, called: boolean): ModelEnd["finish"] {
  if (reason === "refusal" || reason === "content_filter") return "refusal";
  if (reason === "length" || reason === "max_tokens") return "length";
  return called ? "calls" : "stop";
}
