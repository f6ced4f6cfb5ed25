import { parseJson } from "@handrail/models/json";
import type { Problem } from "../codecs/prompt.ts";
import { streamProblem } from "../codecs/problems.ts";
import { sseSplitter } from "../codecs/sse.ts";
import type { ChatFormat } from "../ports/format.ts";
import type { Meter } from "../ports/lane.ts";
import type { TokenUsage } from "../ports/token-usage.ts";
import { EVENT_READERS, type Reading } from "./event-readers.ts";
import { headerFacts } from "./header-facts.ts";

/** A meter that is shown a stream's bytes as they pass. */
export type StreamMeter = Meter & {
  see(chunk: Uint8Array): void;
  /** What the first event says is wrong; undefined when it is a good one, or has not come. */
  firstProblem(): Problem | undefined;
  /** Whether the provider has said what went wrong. */
  failed(): boolean;
};

/** `headers` are the provider's. */
export function streamMeter(format: ChatFormat, headers: Readonly<Record<string, string>>): StreamMeter {
  const splitter = sseSplitter();
  const read = EVENT_READERS[format];
  const told = headerFacts(headers);
  let usage: TokenUsage | undefined;
  let costUsd = told.costUsd;
  let tier: string | undefined;
  let upstreamId = told.callId;
  let model: string | undefined;
  let characters = 0;
  let complete = false;
  let events = 0;
  let failed = false;
  let problem: Problem | undefined;

  const note = (reading: Reading) => {
    usage = merged(usage, reading.usage);
    costUsd ??= reading.costUsd;
    tier = reading.tier || tier;
    upstreamId ??= reading.id || undefined;
    model ??= reading.model || undefined;
    characters += reading.characters ?? 0;
    complete ||= reading.ends === true;
  };
  const seeEvent = (data: string) => {
    if (data.trim() === "") return;
    events += 1;
    if (data === "[DONE]") {
      complete = true;
      return;
    }
    const event = parseJson(data);
    const wrong = events === 1 || data.includes('"error"') ? problemIn(event) : undefined;
    if (events === 1) problem = wrong;
    failed ||= wrong !== undefined;
    note(read(event));
  };
  return {
    see: (chunk) => splitter.push(chunk).forEach(seeEvent),
    firstProblem: () => problem,
    failed: () => failed,
    usage: () => usage,
    reportedCostUsd: () => costUsd,
    tier: () => tier,
    characters: () => characters,
    upstreamId: () => upstreamId,
    model: () => model,
    complete: () => complete,
  };
}

function problemIn(event: unknown): Problem | undefined {
  if (event === undefined) return { status: 502, message: "The model sent an event that is not JSON." };
  return streamProblem(event);
}

/** Messages tells the prompt first and the answer at the end, where it may leave out what it told. */
function merged(known: TokenUsage | undefined, told: TokenUsage | undefined): TokenUsage | undefined {
  if (known === undefined || told === undefined) return told ?? known;
  const merge = (bucket: keyof TokenUsage) => told[bucket] || known[bucket];
  return {
    inputTokens: merge("inputTokens"),
    inputAudioTokens: merge("inputAudioTokens"),
    cacheReadTokens: merge("cacheReadTokens"),
    cacheWriteTokens: merge("cacheWriteTokens"),
    cacheWriteHourTokens: merge("cacheWriteHourTokens"),
    outputTokens: told.outputTokens,
    reasoningTokens: merge("reasoningTokens"),
    outputAudioTokens: merge("outputAudioTokens"),
  };
}
