import type { ConversationState } from "@handrail/protocol/conversation-state";
import { formatMoney } from "./format.ts";

type Spent = Pick<ConversationState, "totals" | "limits" | "run">;

/**
 * What was spent against the limit that is nearest to hand: the conversation's own, else that of the run under way.
 * Steps without a known price are said, not counted as free.
 */
export function describeCost({ totals, limits, run }: Spent): { readonly text: string; readonly title: string } {
  const all = formatMoney(totals.costUsd);
  if (totals.unpricedSteps > 0 && totals.costUsd === 0) {
    return { text: "no price known", title: "The model's price is not known, so its cost is not counted" };
  }
  if (limits.maxCostUsd !== undefined) {
    return { text: `${all} of ${formatMoney(limits.maxCostUsd)}`, title: "Cost so far, of the conversation's limit" };
  }
  if (run?.limits.maxCostUsd === undefined) return { text: all, title: "Cost so far" };
  const text = `${formatMoney(run.costUsd)} of ${formatMoney(run.limits.maxCostUsd)}`;
  return { text, title: `Cost of this run, of its limit. In all ${all}` };
}
