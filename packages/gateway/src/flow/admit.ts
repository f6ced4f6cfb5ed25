import { AppError } from "@handrail/protocol/errors";
import type { LimitState } from "../ports/books.ts";
import { ledgerStart, type Call } from "./call.ts";
import type { Core } from "./core.ts";

/**
 * Lets a call through, with what it may cost reserved. Gives where its limits stand.
 * @throws AppError `budget_exceeded`, `rate_limited`, `books_unavailable`
 */
export async function admitCall(core: Core, call: Call): Promise<readonly LimitState[]> {
  const { promptTokens, answerTokens, nanoUsd } = call.estimate;
  const verdict = await core.books.ledger.admit({
    callId: call.id,
    at: call.at,
    scopes: call.caller.scopes,
    reserveNanoUsd: nanoUsd,
    reserveTokens: promptTokens + answerTokens,
    entry: ledgerStart(call.caller.key, call.asked),
  });
  if (verdict.admitted) return verdict.limits;
  throw refusal(verdict.reached, core.now());
}

function refusal({ scope, kind, limit, remaining, resetAt }: LimitState, now: number): AppError {
  const retryAfterMs = resetAt === undefined ? (kind === "parallel" ? 1000 : undefined) : Math.max(0, resetAt - now);
  const details = {
    limit: kind,
    scope,
    ...(resetAt !== undefined && { resetAt }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
  const whose = scope.replace(":", " ");
  if (kind === "budget")
    return new AppError("budget_exceeded", budgetText(whose, { limit, remaining, resetAt }), details);
  const unit = kind === "parallel" ? "calls at the same time" : `${kind} per minute`;
  return new AppError("rate_limited", `The ${whose} has reached its limit of ${limit} ${unit}.`, details);
}

type Money = { readonly limit: number; readonly remaining: number; readonly resetAt: number | undefined };

/** A call is refused for what it may cost at most, so there can be money left. */
function budgetText(whose: string, { limit, remaining, resetAt }: Money): string {
  const again = resetAt === undefined ? "" : ` It starts again at ${new Date(resetAt).toISOString()}.`;
  const left = Math.max(0, remaining);
  return `The budget of $${limit} of the ${whose} has $${round(left)} left, less than this call may cost.${again}`;
}

const round = (usd: number) => Number(usd.toFixed(6));
