import type { Usage } from "@handrail/protocol/limits";
import type { DecodedEnd } from "./dialect.ts";
import { at, countAt, type Json } from "./json.ts";

/** Usage of a Chat Completions answer with the fields that gateways add; undefined when there was none. */
export function openAiUsage(usage: Json): Pick<DecodedEnd, "usage" | "reportedCostUsd"> {
  if (typeof usage !== "object" || usage === null) return { usage: undefined };
  const cost = at(usage, "cost");
  return {
    usage: {
      inputTokens: countAt(usage, "prompt_tokens") ?? 0,
      outputTokens: countAt(usage, "completion_tokens") ?? 0,
      cacheReadTokens: cacheRead(usage),
      cacheWriteTokens: cacheWrite(usage),
      reasoningTokens: countAt(usage, "completion_tokens_details", "reasoning_tokens") ?? 0,
    } satisfies Usage,
    ...(typeof cost === "number" && cost >= 0 && cost < 1_000_000 ? { reportedCostUsd: cost } : {}),
  };
}

function cacheRead(usage: Json): number {
  return countAt(usage, "prompt_tokens_details", "cached_tokens") ?? countAt(usage, "prompt_cache_hit_tokens") ?? 0;
}

function cacheWrite(usage: Json): number {
  return (
    countAt(usage, "cache_creation_input_tokens") ??
    countAt(usage, "prompt_tokens_details", "cache_creation_tokens") ??
    countAt(usage, "prompt_tokens_details", "cache_write_tokens") ??
    0
  );
}
