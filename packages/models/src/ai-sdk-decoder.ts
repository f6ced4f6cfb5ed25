import type { LanguageModelV4StreamPart, LanguageModelV4Usage } from "@ai-sdk/provider";
import type { ModelEnd } from "@handrail/core/ports/model";
import type { Usage } from "@handrail/protocol/limits";
import { type PartGatherer, partGatherer } from "./ai-sdk-parts.ts";
import type { Decoded } from "./dialect.ts";
import type { Owner } from "./provider-data.ts";

/** Decodes one answer of an AI SDK provider. Of a `finish` that names no reason, as a cut stream's, no `end` comes. */
export type AiSdkDecoder = { take(part: LanguageModelV4StreamPart): readonly Decoded[] };

export function aiSdkDecoder(owner: Owner): AiSdkDecoder {
  const parts = partGatherer();
  let model = owner.model;
  return {
    take(part) {
      if (part.type === "error") throw part.error;
      if (part.type === "response-metadata") model = part.modelId ?? model;
      if (part.type !== "finish") return fragment(part, parts);
      const content = parts.content(owner);
      const called = content.some(({ type }) => type === "call");
      const finish = finishOf(part.finishReason, called);
      return finish ? [{ type: "end", finish, content, usage: usageOf(part.usage), model }] : [];
    },
  };
}

function fragment(part: LanguageModelV4StreamPart, parts: PartGatherer): readonly Decoded[] {
  switch (part.type) {
    case "text-start":
      parts.start("text", part.id);
      return [];
    case "text-delta":
      parts.append("text", part.id, part.delta);
      return part.delta === "" ? [] : [{ type: "text", delta: part.delta }];
    case "reasoning-start":
      parts.start("reasoning", part.id);
      parts.remember("reasoning", part.id, part.providerMetadata);
      return [];
    case "reasoning-delta":
      parts.append("reasoning", part.id, part.delta);
      parts.remember("reasoning", part.id, part.providerMetadata);
      return part.delta === "" ? [] : [{ type: "reasoning", delta: part.delta }];
    case "reasoning-end":
      parts.remember("reasoning", part.id, part.providerMetadata);
      return [];
    default:
      return callFragment(part, parts);
  }
}

function callFragment(part: LanguageModelV4StreamPart, parts: PartGatherer): readonly Decoded[] {
  switch (part.type) {
    case "tool-input-start":
      return startCall(parts, { id: part.id, tool: part.toolName, delta: "" });
    case "tool-input-delta":
      parts.append("call", part.id, part.delta);
      return [{ type: "call", index: parts.callIndex(part.id), delta: part.delta }];
    case "tool-call": {
      const { toolCallId: id, toolName: tool, input } = part;
      const outputs = parts.has("call", id) ? [] : startCall(parts, { id, tool, delta: input });
      parts.complete(id, input);
      parts.remember("call", id, part.providerMetadata);
      return outputs;
    }
    default:
      return [];
  }
}

type NewCall = { readonly id: string; readonly tool: string; readonly delta: string };

function startCall(parts: PartGatherer, { id, tool, delta }: NewCall): readonly Decoded[] {
  parts.start("call", id, tool);
  return [{ type: "call", index: parts.callIndex(id), tool, providerId: id, delta }];
}

type Finish = Extract<LanguageModelV4StreamPart, { type: "finish" }>["finishReason"];

function finishOf({ unified, raw }: Finish, called: boolean): ModelEnd["finish"] | undefined {
  if (unified === "length") return "length";
  if (unified === "content-filter") return "refusal";
  if (unified === "interrupted" || unified === "error" || (unified === "other" && raw === undefined)) return undefined;
  return called ? "calls" : "stop";
}

function usageOf({ inputTokens, outputTokens }: LanguageModelV4Usage): Usage | undefined {
  if (inputTokens.total === undefined && outputTokens.total === undefined) return undefined;
  return {
    inputTokens: inputTokens.total ?? 0,
    outputTokens: outputTokens.total ?? 0,
    cacheReadTokens: inputTokens.cacheRead ?? 0,
    cacheWriteTokens: inputTokens.cacheWrite ?? 0,
    reasoningTokens: outputTokens.reasoning ?? 0,
  };
}
