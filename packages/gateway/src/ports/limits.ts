/** `total` never starts again. Days, weeks (from Monday) and months begin at midnight UTC. */
export type BudgetPeriod = "day" | "week" | "month" | "total";

export type Budget = { readonly usd: number; readonly period: BudgetPeriod };

/** What a key, a user or a team may use. What is not set is not limited. */
export type BookLimits = {
  readonly budget?: Budget;
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
  /** Calls at the same time. */
  readonly parallel?: number;
};

/** Something whose use is limited; a call counts against several. `id` is such as `key:k_1`, `user:u_1`, `team:t_1`. */
export type LimitedScope = { readonly id: string; readonly limits: BookLimits };

export type LimitKind = "budget" | "requests" | "tokens" | "parallel";

/** Where a limit stands; `limit` and `remaining` in the kind's own unit, money in US dollars. */
export type LimitState = {
  readonly scope: string;
  readonly kind: LimitKind;
  readonly limit: number;
  readonly remaining: number;
  /** Unix milliseconds at which more is free; undefined for a total budget and for parallel calls. */
  readonly resetAt?: number;
};
