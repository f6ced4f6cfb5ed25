import type { LanguageModelV4Usage } from "@ai-sdk/provider";
import { countAt, listAt, textAt } from "@handrail/models/json";
import type { TokenUsage } from "../ports/token-usage.ts";

/** Usage from an SDK's provider, with what only the provider's own words say: audio, and how long a cache write is kept. */
export function sdkUsage({ inputTokens, outputTokens, raw }: LanguageModelV4Usage): TokenUsage | undefined {
  if (inputTokens.total === undefined && outputTokens.total === undefined) return undefined;
  const heard = audioIn(raw, "promptTokensDetails");
  const spoken = audioIn(raw, "candidatesTokensDetails");
  const read = inputTokens.cacheRead ?? 0;
  const writes = inputTokens.cacheWrite ?? 0;
  const hour = Math.min(writes, hourIn(raw));
  const reasoned = outputTokens.reasoning ?? 0;
  return {
    inputTokens: rest(inputTokens.total, read, writes, heard),
    inputAudioTokens: heard,
    cacheReadTokens: read,
    cacheWriteTokens: writes - hour,
    cacheWriteHourTokens: hour,
    outputTokens: rest(outputTokens.total, reasoned, spoken),
    reasoningTokens: reasoned,
    outputAudioTokens: spoken,
  };
}

function rest(all: number | undefined, ...parts: readonly number[]): number {
  return Math.max(
    0,
    parts.reduce((left, part) => left - part, all ?? 0),
  );
}

/** Google counts by modality. */
function audioIn(raw: unknown, field: string): number {
  const entries = listAt(raw, field).filter((entry) => textAt(entry, "modality") === "AUDIO");
  return entries.reduce((sum: number, entry) => sum + (countAt(entry, "tokenCount") ?? 0), 0);
}

/** Bedrock counts cache writes by how long they are kept. */
function hourIn(raw: unknown): number {
  const entries = listAt(raw, "cacheDetails").filter((entry) => textAt(entry, "ttl") === "1h");
  return entries.reduce((sum: number, entry) => sum + (countAt(entry, "inputTokens") ?? 0), 0);
}
