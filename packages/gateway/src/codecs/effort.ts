import type { Thinking } from "./prompt.ts";
import { row } from "./refuse.ts";

/** How many tokens of thought an effort is, for models that are told a number. */
const BUDGETS: Readonly<Record<string, number>> = {
  minimal: 1_024,
  low: 2_048,
  medium: 8_192,
  high: 24_576,
  xhigh: 49_152,
  max: 49_152,
};

/** The effort in OpenAI's words; undefined where the model decides. */
export function effortOf(thinking: Thinking | undefined): string | undefined {
  if (thinking === undefined) return undefined;
  const { effort, budget, mode } = thinking;
  if (effort !== undefined) return effort === "max" ? "xhigh" : effort;
  if (mode === "disabled") return "none";
  if (budget === undefined) return undefined;
  return ["low", "medium"].find((word) => budget <= (BUDGETS[word] ?? 0)) ?? "high";
}

/** The number of tokens of an effort; undefined for `none` and for words that are not known. */
export function budgetOf(effort: string): number | undefined {
  return row(BUDGETS, effort);
}
