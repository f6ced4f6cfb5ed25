import type { ConversationState } from "@handrail/protocol/conversation-state";
import type { EventOf } from "@handrail/protocol/events";
import type { LimitName, Limits, LimitScope } from "@handrail/protocol/limits";
import type { Model } from "./ports/model.ts";

/** Fewer output tokens than this are not worth a call: the limit counts as reached. */
const MIN_OUTPUT_TOKENS = 256;

type Used = { readonly costUsd: number; readonly steps: number; readonly tokens: number; readonly timeMs: number };
type Scope = { readonly scope: LimitScope; readonly limits: Limits; readonly used: Used };

/** What the next step may use, or the limit that forbids it. */
export type Allowance =
  | { readonly type: "go"; readonly maxOutputTokens: number; readonly timeMs: number | undefined }
  | { readonly type: "stop"; readonly reached: EventOf<"limit.reached"> };

/**
 * Checks the limits of the run and of the conversation before a step is paid for: the prompt's price and at least a
 * short answer must fit; the answer's cap is cut to what is left. `inputTokens` is the estimated prompt.
 */
export function allowance(state: ConversationState, model: Model, inputTokens: number, nowMs: number): Allowance {
  let maxOutputTokens = Math.min(model.maxOutputTokens, Math.max(1024, model.contextTokens - inputTokens));
  let timeMs: number | undefined;
  for (const { scope, limits, used } of scopes(state, nowMs)) {
    const reached = spent(limits, used);
    if (reached !== undefined) return stop(scope, reached, used, limits);
    const tokens = outputLeft(limits, used, model, inputTokens);
    if (tokens.left < MIN_OUTPUT_TOKENS) return stop(scope, tokens.by, used, limits);
    maxOutputTokens = Math.min(maxOutputTokens, Math.floor(tokens.left));
    timeMs = least(timeMs, limits.maxTimeMs === undefined ? undefined : limits.maxTimeMs - used.timeMs);
  }
  return { type: "go", maxOutputTokens, timeMs };
}

/** The time limit that has run out by now, if one has. For when a step or call was cut off by it. */
export function timeReached(state: ConversationState, nowMs: number): EventOf<"limit.reached"> | undefined {
  for (const { scope, limits, used } of scopes(state, nowMs)) {
    if (limits.maxTimeMs !== undefined && used.timeMs >= limits.maxTimeMs) {
      return { type: "limit.reached", scope, limit: "maxTimeMs", value: used.timeMs, max: limits.maxTimeMs };
    }
  }
  return undefined;
}

/** Milliseconds until the first time limit of the run or the conversation; undefined when there is none. */
export function timeLeft(state: ConversationState, nowMs: number): number | undefined {
  return scopes(state, nowMs).reduce<number | undefined>(
    (left, { limits, used }) =>
      least(left, limits.maxTimeMs === undefined ? undefined : limits.maxTimeMs - used.timeMs),
    undefined,
  );
}

function scopes(state: ConversationState, nowMs: number): readonly Scope[] {
  const { run, totals, limits } = state;
  if (run === null) return [];
  const runMs = nowMs - run.startedAt;
  const tokens = totals.usage.inputTokens + totals.usage.outputTokens;
  return [
    {
      scope: "run",
      limits: run.limits,
      used: { costUsd: run.costUsd, steps: run.steps, tokens: run.tokens, timeMs: runMs },
    },
    {
      scope: "conversation",
      limits,
      used: { costUsd: totals.costUsd, steps: totals.steps, tokens, timeMs: totals.timeMs + runMs },
    },
  ];
}

const USED_BY: Readonly<Record<LimitName, keyof Used>> = {
  maxCostUsd: "costUsd",
  maxSteps: "steps",
  maxTokens: "tokens",
  maxTimeMs: "timeMs",
};

function spent(limits: Limits, used: Used): LimitName | undefined {
  return (Object.keys(USED_BY) as LimitName[]).find((name) => used[USED_BY[name]] >= (limits[name] ?? Infinity));
}

function stop(scope: LimitScope, limit: LimitName, used: Used, limits: Limits): Allowance {
  const value = used[USED_BY[limit]];
  return { type: "stop", reached: { type: "limit.reached", scope, limit, value, max: limits[limit] ?? value } };
}

function outputLeft(limits: Limits, used: Used, model: Model, inputTokens: number): { left: number; by: LimitName } {
  const byTokens = (limits.maxTokens ?? Infinity) - used.tokens - inputTokens;
  const byMoney = affordable(limits, used, model, inputTokens);
  return byMoney < byTokens ? { left: byMoney, by: "maxCostUsd" } : { left: byTokens, by: "maxTokens" };
}

/** Output tokens that the money left pays for; Infinity without a limit or without a known price. */
function affordable(limits: Limits, used: Used, model: Model, inputTokens: number): number {
  if (limits.maxCostUsd === undefined) return Infinity;
  const prompt = model.price({ inputTokens, outputTokens: 0 });
  const million = model.price({ inputTokens: 0, outputTokens: 1_000_000 });
  if (prompt === undefined || million === undefined) return Infinity;
  const left = limits.maxCostUsd - used.costUsd - prompt;
  return million === 0 ? (left < 0 ? 0 : Infinity) : (left / million) * 1_000_000;
}

const least = (left: number | undefined, right: number | undefined): number | undefined =>
  left === undefined ? right : right === undefined ? left : Math.min(left, right);
