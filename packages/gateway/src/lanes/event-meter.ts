import type { AnswerEvent } from "../codecs/prompt.ts";
import type { Meter } from "../ports/lane.ts";
import type { TokenUsage } from "../ports/token-usage.ts";

/** A meter that is shown each event of an answer. */
export type EventMeter = Meter & { note(event: AnswerEvent): void };

/** `headers` are the provider's; a LiteLLM behind says in them what the call cost. */
export function eventMeter(headers: Readonly<Record<string, string>>): EventMeter {
  const told = Number(headers["x-litellm-response-cost"] ?? Number.NaN);
  let usage: TokenUsage | undefined;
  let costUsd = told >= 0 ? told : undefined;
  let tier: string | undefined;
  let upstreamId = headers["x-litellm-call-id"];
  let model: string | undefined;
  let characters = 0;
  let complete = false;
  const noteUsage = (event: Extract<AnswerEvent, { type: "usage" }>) => {
    usage = event.usage;
    costUsd ??= event.costUsd;
    tier = event.tier ?? tier;
  };
  return {
    usage: () => usage,
    reportedCostUsd: () => costUsd,
    tier: () => tier,
    characters: () => characters,
    upstreamId: () => upstreamId,
    model: () => model,
    complete: () => complete,
    note(event) {
      if (event.type === "usage") noteUsage(event);
      else if (event.type === "start") {
        upstreamId ??= event.id || undefined;
        model ??= event.model || undefined;
      } else if (event.type === "end") complete = true;
      else if ("delta" in event) characters += event.delta.length;
    },
  };
}
