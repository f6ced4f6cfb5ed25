import type { LimitStanding } from "@handrail/protocol/gateway";
import { formatExact, formatMoney } from "../../state/format.ts";
import { budgetUsed } from "../../state/key-limit-draft.ts";

/** How much of a budget is used, as a bar and in words; what is spent where there is no budget. */
export function BudgetBar({
  standings,
  spentUsd,
}: {
  readonly standings: readonly LimitStanding[];
  readonly spentUsd: number;
}) {
  const budget = standings.find(({ kind }) => kind === "budget");
  const used = budgetUsed(standings);
  if (budget === undefined || used === null) return <span className="tabular-nums">{formatMoney(spentUsd)} spent</span>;
  const text = `${formatMoney(budget.limit - budget.remaining)} of ${formatMoney(budget.limit)}`;
  const tone = used >= 1 ? "bg-bad" : used >= 0.8 ? "bg-warn" : "bg-accent-solid";
  return (
    <span
      className="flex flex-col gap-0.5"
      {...(budget.resetAt === null ? {} : { title: `Starts again ${formatExact(budget.resetAt)}` })}
    >
      <span className="tabular-nums">
        {text}
        {used >= 1 && <span className="font-medium text-bad"> · used up</span>}
      </span>
      <span aria-hidden className="block h-1 w-32 overflow-hidden rounded bg-hover">
        <span className={`block h-full ${tone}`} style={{ width: `${used * 100}%` }} />
      </span>
    </span>
  );
}
