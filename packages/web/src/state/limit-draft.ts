import type { Limits } from "@handrail/protocol/limits";

/** Limits as typed. An empty field is no limit of its kind. */
export type LimitDraft = {
  readonly maxCostUsd: string;
  readonly maxSteps: string;
  readonly maxTokens: string;
  readonly maxMinutes: string;
};

export const NO_LIMITS: LimitDraft = { maxCostUsd: "", maxSteps: "", maxTokens: "", maxMinutes: "" };

const MINUTE_MS = 60_000;

/** Limits as one would type them. */
export function limitDraft({ maxCostUsd, maxSteps, maxTokens, maxTimeMs }: Limits): LimitDraft {
  return {
    maxCostUsd: textOf(maxCostUsd),
    maxSteps: textOf(maxSteps),
    maxTokens: textOf(maxTokens),
    maxMinutes: textOf(maxTimeMs === undefined ? undefined : maxTimeMs / MINUTE_MS),
  };
}

const textOf = (value: number | undefined) => (value === undefined ? "" : String(value));

/** The limits that were typed, or a sentence that says what is wrong. Empty fields set no limit of their kind. */
export function readLimits(draft: LimitDraft): Limits | string {
  const cost = readNumber(draft.maxCostUsd);
  const steps = readNumber(draft.maxSteps);
  const tokens = readNumber(draft.maxTokens);
  const minutes = readNumber(draft.maxMinutes);
  if (cost === null) return "The cost limit must be a number of dollars above 0.";
  if (!isCount(steps)) return "The step limit must be a whole number above 0.";
  if (!isCount(tokens)) return "The token limit must be a whole number above 0.";
  if (minutes === null) return "The time limit must be a number of minutes above 0.";
  const limits = {
    maxCostUsd: cost,
    maxSteps: steps,
    maxTokens: tokens,
    maxTimeMs: minutes === undefined ? undefined : Math.round(minutes * MINUTE_MS),
  };
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}

const isCount = (value: number | undefined | null): value is number | undefined =>
  value === undefined || Number.isInteger(value);

/** The positive number in a text; undefined when it is empty, null when it is something else. */
function readNumber(text: string): number | undefined | null {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  const value = Number(trimmed);
  return Number.isFinite(value) && value > 0 ? value : null;
}
