import { budgetNano, recounted, type ScopeCounter } from "../books/scope-counter.ts";
import type { ScopeCount } from "../ports/ledger.ts";
import type { LimitedScope } from "../ports/limits.ts";

/** A whole number in full, as scripts take them. What is no amount is zero. */
export function whole(value: number): string {
  return String(Math.min(Math.max(0, Math.ceil(value) || 0), Number.MAX_SAFE_INTEGER));
}

/** The limits of a scope, as `RESERVE` takes them. */
export function limitTexts({ limits }: LimitedScope): readonly string[] {
  const { parallel, requestsPerMinute, tokensPerMinute, budget } = limits;
  const amounts = [parallel, requestsPerMinute, tokensPerMinute, budget && budgetNano(budget.usd)];
  return [...amounts.map((amount) => (amount === undefined ? "" : whole(amount))), budget?.period ?? ""];
}

/** A scope's hash, name and value by turns. */
export function fieldsOf({ inFlight, reservedNano, spent, requests, tokens }: ScopeCount): string[] {
  const seconds = (kind: "q" | "t", added: ScopeCount["requests"]): [string, number][] =>
    added.map(([at, amount]) => [`${kind}${Math.floor(at / 1000)}`, amount]);
  const fields: [string, number][] = [
    ["inflight", inFlight],
    ["reserved", reservedNano],
    ...Object.entries(spent),
    ...seconds("q", requests),
    ...seconds("t", tokens),
  ];
  return fields.flatMap(([name, value]) => [name, whole(value)]);
}

/** The counter that such a hash is. */
export function counterOf(flat: readonly unknown[]): ScopeCounter {
  const names = flat.filter((_, index) => index % 2 === 0).map(String);
  const fields = new Map(names.map((name, index) => [name, Number(flat[index * 2 + 1])]));
  const get = (name: string): number => fields.get(name) ?? 0;
  const seconds = (kind: string): ScopeCount["requests"] =>
    [...fields].flatMap(([name, amount]) =>
      /^[qt]\d+$/.test(name) && name.startsWith(kind) ? [[Number(name.slice(1)) * 1000, amount] as const] : [],
    );
  const spent = {
    day: get("day"),
    day_nano: get("day_nano"),
    week: get("week"),
    week_nano: get("week_nano"),
    month: get("month"),
    month_nano: get("month_nano"),
    total_nano: get("total_nano"),
  };
  const [inFlight, reservedNano] = [get("inflight"), get("reserved")];
  return recounted({ inFlight, reservedNano, spent, requests: seconds("q"), tokens: seconds("t") });
}
