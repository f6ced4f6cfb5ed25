import type { ModelPart } from "@handrail/core/ports/model";
import type { Usage } from "@handrail/protocol/limits";

/** A quarter of the characters as tokens: for APIs that report no usage, so that limits still hold. */
export function estimatedUsage(requestCharacters: number, content: readonly ModelPart[]): Usage {
  const reasoning = content.reduce((sum, part) => sum + (part.type === "reasoning" ? part.text.length : 0), 0);
  const said = content.reduce((sum, part) => sum + (part.type === "call" ? part.arguments : part.text).length, 0);
  return {
    inputTokens: Math.ceil(requestCharacters / 4),
    outputTokens: Math.ceil(said / 4),
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    reasoningTokens: Math.ceil(reasoning / 4),
  };
}
