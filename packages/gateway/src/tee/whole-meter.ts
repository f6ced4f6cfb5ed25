import { at, listAt, parseJson, textAt } from "@handrail/models/json";
import { chatUsage, costIn, messagesUsage, responsesUsage } from "../codecs/usage.ts";
import type { Format } from "../ports/format.ts";
import type { Meter } from "../ports/lane.ts";
import type { TokenUsage } from "../ports/token-usage.ts";
import { chatCharacters } from "./event-readers.ts";
import { headerFacts } from "./header-facts.ts";

/** A meter of an answer that came in one piece. `valid` is false where it is no JSON object. */
export type WholeMeter = Meter & { readonly valid: boolean };

/** `headers` are the provider's. */
export function wholeMeter(format: Format, body: Buffer, headers: Readonly<Record<string, string>>): WholeMeter {
  const answer = format === "embeddings" ? embeddingsFacts(body) : parseJson(body.toString("utf8"));
  const told = headerFacts(headers);
  const reported = at(answer, "usage");
  const valid = typeof answer === "object" && answer !== null && !Array.isArray(answer);
  return {
    valid,
    usage: () => usageOf(format, reported),
    reportedCostUsd: () => told.costUsd ?? costIn(reported),
    tier: () => textAt(answer, "service_tier") || textAt(reported, "service_tier") || undefined,
    characters: () => charactersOf(answer),
    upstreamId: () => told.callId ?? (textAt(answer, "id") || undefined),
    model: () => textAt(answer, "model") || undefined,
    complete: () => valid,
  };
}

function usageOf(format: Format, usage: unknown): TokenUsage | undefined {
  if (format === "messages") return messagesUsage(usage);
  return format === "responses" ? responsesUsage(usage) : chatUsage(usage);
}

/** An answer of embeddings is long and made of numbers: only its usage is parsed. Nothing in it can look like one. */
function embeddingsFacts(body: Buffer): unknown {
  const key = body.lastIndexOf('"usage"');
  if (key < 0) return parseJson(body.toString("utf8"));
  const start = body.indexOf("{", key);
  const end = body.indexOf("}", start);
  if (start < 0 || end < 0) return parseJson(body.toString("utf8"));
  const usage = parseJson(body.toString("utf8", start, end + 1));
  return usage === undefined ? parseJson(body.toString("utf8")) : { usage };
}

function charactersOf(answer: unknown): number {
  const choices = listAt(answer, "choices").map((choice) => chatCharacters(at(choice, "message")));
  const parts = [...listAt(answer, "content"), ...listAt(answer, "output")].map(partCharacters);
  return [...choices, ...parts].reduce((sum, count) => sum + count, 0);
}

function partCharacters(part: unknown): number {
  const inner = listAt(part, "content").reduce<number>((sum, piece) => sum + textAt(piece, "text").length, 0);
  const input = at(part, "input");
  const called = input === undefined ? 0 : JSON.stringify(input).length;
  const own = textAt(part, "text").length + textAt(part, "thinking").length + textAt(part, "arguments").length;
  return own + inner + called;
}
