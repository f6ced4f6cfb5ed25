import type { BookLimits, BudgetPeriod } from "../../ports/limits.ts";
import { defined } from "../defined.ts";
import { daysOf } from "../general-settings.ts";
import type { BudgetRow, LimitFields } from "./rows.ts";

/** Budgets by their ids. */
export type BudgetsById = ReadonlyMap<string, BudgetRow>;

/** A row's limits; what it leaves out comes from the budget that it names. Nothing becomes looser than it was. */
export function limitsOf(row: LimitFields, budgets: BudgetsById): BookLimits {
  const shared: LimitFields = budgets.get(row.budget_id ?? "") ?? {};
  const amount = (key: "max_budget" | "rpm_limit" | "tpm_limit" | "max_parallel_requests") =>
    row[key] ?? shared[key] ?? undefined;
  const usd = amount("max_budget");
  return defined({
    budget: usd === undefined ? undefined : { usd, period: periodOf(row.budget_duration ?? shared.budget_duration) },
    requestsPerMinute: amount("rpm_limit"),
    tokensPerMinute: amount("tpm_limit"),
    parallel: amount("max_parallel_requests"),
  });
}

/** The period that is at least as long as LiteLLM's duration: the same money for longer is the stricter. */
export function periodOf(duration: string | null | undefined): BudgetPeriod {
  if (duration === null || duration === undefined || duration === "") return "total";
  const days = daysOf(duration);
  if (days <= 1) return "day";
  if (days <= 7) return "week";
  return days <= 31 ? "month" : "total";
}
