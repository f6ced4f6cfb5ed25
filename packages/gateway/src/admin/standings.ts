import type { Books } from "../ports/books.ts";
import type { SpendGroup } from "../ports/ledger.ts";
import type { BookLimits, LimitState } from "../ports/limits.ts";
import type { KeyLimits, LimitStanding } from "@handrail/protocol/gateway";

/** Where limits stand, and what was spent in all, by scope and by group's value. */
export type Standings = {
  readonly of: (scope: string) => LimitStanding[];
  readonly spent: (group: string) => number;
};

/** Of scopes of one kind; `by` is what the ledger calls them. @throws AppError `books_unavailable` */
export async function standingsOf(
  { ledger }: Pick<Books, "ledger">,
  by: SpendGroup,
  scopes: readonly { readonly id: string; readonly limits: BookLimits }[],
): Promise<Standings> {
  const [states, rows] = await Promise.all([ledger.states(scopes), ledger.spend(by, {})]);
  const grouped = Map.groupBy(states, ({ scope }) => scope);
  const sums = new Map(rows.map(({ group, costUsd }) => [group, costUsd]));
  return {
    of: (scope) => (grouped.get(scope) ?? []).map(shown),
    spent: (group) => sums.get(group) ?? 0,
  };
}

function shown({ kind, limit, remaining, resetAt }: LimitState): LimitStanding {
  return { kind, limit, remaining, resetAt: resetAt ?? null };
}

/** Limits as the books want them: what is not limited is absent. */
export function bookLimits({ budget, requestsPerMinute, tokensPerMinute, parallel }: KeyLimits): BookLimits {
  return {
    ...(budget && { budget }),
    ...(requestsPerMinute !== undefined && { requestsPerMinute }),
    ...(tokensPerMinute !== undefined && { tokensPerMinute }),
    ...(parallel !== undefined && { parallel }),
  };
}
