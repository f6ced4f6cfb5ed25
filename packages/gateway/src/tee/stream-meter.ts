import { parseJson } from "@handrail/models/json";
import type { Problem } from "../codecs/prompt.ts";
import { streamProblem } from "../codecs/problems.ts";
import { sseSplitter } from "../codecs/sse.ts";
import type { ChatFormat } from "../ports/format.ts";
import type { Meter } from "../ports/lane.ts";
import type { TokenUsage } from "../ports/token-usage.ts";
import { EVENT_READERS, GOES_ON, type Reading } from "./event-readers.ts";
import { headerFacts } from "./header-facts.ts";
import { laterCount } from "./later-count.ts";

/** A meter that is shown a stream's bytes as they pass. */
export type StreamMeter = Meter & {
  see(chunk: Uint8Array): void;
  /** What the first event says is wrong; undefined when it is a good one, or has not come. */
  firstProblem(): Problem | undefined;
  /** Whether the provider has said what went wrong. */
  failed(): boolean;
};

/** So much is kept of what is only looked at where the provider does not say how long its answer was. */
const MAX_KEPT_CHARACTERS = 256 * 1024;

/** `headers` are the provider's. */
export function streamMeter(format: ChatFormat, headers: Readonly<Record<string, string>>): StreamMeter {
  const splitter = sseSplitter();
  const read = EVENT_READERS[format];
  const goesOn = GOES_ON[format];
  const facts = factsOf(headerFacts(headers));
  const going = laterCount((data) => read(parseJson(data)).characters ?? 0, MAX_KEPT_CHARACTERS);
  let events = 0;
  let failed = false;
  let problem: Problem | undefined;

  const look = (data: string) => {
    events += 1;
    const event = parseJson(data);
    const wrong = events === 1 || data.includes('"error"') ? problemIn(event) : undefined;
    if (events === 1) problem = wrong;
    failed ||= wrong !== undefined;
    facts.note(read(event));
  };
  const seeEvent = (data: string) => {
    if (data.trim() === "") return;
    if (data === "[DONE]") facts.note({ ends: true });
    else if (facts.named() && goesOn(data)) going.keep(data);
    else look(data);
  };
  return {
    ...facts.meter,
    see: (chunk) => splitter.push(chunk).forEach(seeEvent),
    firstProblem: () => problem,
    failed: () => failed,
    characters: () => facts.characters() + going.count(),
  };
}

/** What events have told so far. */
function factsOf(told: ReturnType<typeof headerFacts>) {
  let { costUsd, callId } = told;
  let usage: TokenUsage | undefined;
  let tier: string | undefined;
  let model: string | undefined;
  let characters = 0;
  let complete = false;
  const meter: Omit<Meter, "characters"> = {
    usage: () => usage,
    reportedCostUsd: () => costUsd,
    tier: () => tier,
    upstreamId: () => callId,
    model: () => model,
    complete: () => complete,
  };
  return {
    meter,
    characters: () => characters,
    named: () => callId !== undefined && model !== undefined,
    note(reading: Reading) {
      usage = merged(usage, reading.usage);
      costUsd ??= reading.costUsd;
      tier = reading.tier || tier;
      callId ??= reading.id || undefined;
      model ??= reading.model || undefined;
      characters += reading.characters ?? 0;
      complete ||= reading.ends === true;
    },
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
