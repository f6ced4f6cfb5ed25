import type { Admission, TopUp } from "../ports/ledger.ts";
import type { LimitedScope, LimitState } from "../ports/limits.ts";
import { firstReached, limitStates, reachedBudget, type ScopeCounter } from "./scope-counter.ts";

/** The first limit that the admission would pass; undefined when there is room. `touched` are the scopes' counters. */
export function reachedLimit(admission: Admission, touched: readonly ScopeCounter[]): LimitState | undefined {
  const { scopes, at, reserveNanoUsd: nano, reserveTokens: tokens } = admission;
  for (const [index, scope] of scopes.entries()) {
    const counter = touched[index];
    const reached = counter && firstReached(scope, counter, { at, calls: 1, nano, tokens });
    if (reached) return reached;
  }
  return undefined;
}

/** The first budget that has no room for more; undefined when all have. `touched` are the scopes' counters. */
export function budgetReached(
  { scopes, at, moreNanoUsd }: TopUp,
  touched: readonly ScopeCounter[],
): LimitState | undefined {
  for (const [index, scope] of scopes.entries()) {
    const counter = touched[index];
    const reached = counter && reachedBudget(scope, counter, { at, calls: 0, nano: moreNanoUsd, tokens: 0 });
    if (reached) return reached;
  }
  return undefined;
}

/** Where every limit of these scopes stands. */
export function statesOf(
  scopes: readonly LimitedScope[],
  touched: readonly ScopeCounter[],
  at: number,
): readonly LimitState[] {
  return scopes.flatMap((scope, index) => {
    const counter = touched[index];
    return counter ? limitStates(scope, counter, at) : [];
  });
}
