import { AppError, toAppError } from "@handrail/protocol/errors";
import type { LimitState } from "../ports/limits.ts";
import { nanoUsd } from "../ports/money.ts";
import { ledgerStart, type Call } from "./call.ts";
import type { Core } from "./core.ts";
import type { CallFailure } from "./failure.ts";

/**
 * Lets a call through, with what it may cost reserved. Gives where its limits stand.
 * @throws AppError `budget_exceeded`, `rate_limited`, `books_unavailable`
 */
export async function admitCall(core: Core, call: Call): Promise<readonly LimitState[]> {
  const { promptTokens, answerTokens, nanoUsd: reserveNanoUsd } = call.estimate;
  const verdict = await core.books.ledger.admit({
    callId: call.id,
    at: call.at,
    scopes: call.caller.scopes,
    reserveNanoUsd,
    reserveTokens: promptTokens + answerTokens,
    entry: ledgerStart(call.caller.key, call.asked),
  });
  if (verdict.admitted) return verdict.limits;
  throw refusal(verdict.reached, core.now());
}

/**
 * Before another try: earlier ones that may be billed have used up some of what was reserved for the call, so as much is reserved again.
 * Gives why that cannot be: the call then ends by that.
 */
export async function topUpCall(core: Core, call: Call): Promise<CallFailure | undefined> {
  const owed = nanoUsd(call.progress.unanswered?.costUsd ?? 0);
  const more = owed - call.progress.toppedUpNano;
  if (more <= 0) return undefined;
  const at = core.now();
  try {
    const { scopes } = call.caller;
    const reached = await core.books.ledger.topUp({ callId: call.id, at, scopes, moreNanoUsd: more });
    if (reached) return { kind: "refused", error: refusal(reached, at) };
  } catch (thrown) {
    return { kind: "refused", error: toAppError(thrown) };
  }
  call.progress.toppedUpNano = owed;
  return undefined;
}

const PARALLEL_MS = 1000;
/** A total budget has room again only when somebody raises it. */
const NEVER_MS = 86_400_000;

function refusal({ scope, kind, limit, remaining, resetAt }: LimitState, now: number): AppError {
  const soonest = kind === "parallel" ? PARALLEL_MS : NEVER_MS;
  const retryAfterMs = resetAt === undefined ? soonest : Math.max(0, resetAt - now);
  const details = {
    limit: kind,
    scope,
    ...(resetAt !== undefined && { resetAt }),
    retryAfterMs,
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
