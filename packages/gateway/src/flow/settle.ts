import { performance } from "node:perf_hooks";
import { NO_TOKENS, type TokenUsage } from "../ports/token-usage.ts";
import type { Settlement, Unanswered } from "../ports/ledger.ts";
import type { CallEnd } from "../ports/observer.ts";
import type { Asked } from "../request/asked.ts";
import type { Call, Progress } from "./call.ts";
import { ledgerStart } from "./call.ts";
import type { Core } from "./core.ts";
import { promptCount } from "./estimate.ts";

type Counted = { readonly usage: TokenUsage; readonly estimated: boolean };
type Paid = Counted & Pick<Settlement, "costUsd" | "savedUsd" | "priced" | "unanswered">;

/** A cached answer is paid for already. */
export type Saved = { readonly usage: TokenUsage; readonly usd: number };

/** Writes what a call came to, and tells whoever watches. Called once for each call that was let through. */
export function settleCall(core: Core, call: Call, saved?: Saved): void {
  const paid = saved ? cached(saved) : priced(core, call);
  const settlement = settlementOf(core, call, paid);
  core.books.ledger.settle(settlement);
  endTry(call);
  const end = endOf(call, settlement, saved);
  core.observer.callEnded?.(end);
  call.trace?.ended(end);
}

/** The one whose answer was given, or was still waited for. */
function endTry({ progress }: Call): void {
  const { answer, outcome, errorCode } = progress;
  const error = outcome === "aborted" ? "client_left" : errorCode;
  progress.trying?.ended({
    status: answer?.status ?? 0,
    model: answer?.meter.model(),
    ...(error !== undefined && { errorCode: error }),
  });
}

function endOf(call: Call, settlement: Settlement, saved: Saved | undefined): CallEnd {
  const { progress } = call;
  const model = progress.answer?.meter.model();
  const total = settlement.latencyMs;
  return {
    callId: call.id,
    key: call.caller.key,
    group: progress.groupName,
    start: ledgerStart(call.caller.key, call.asked),
    settlement,
    overheadMs: Math.max(0, (progress.firstByteMs ?? total) - progress.waitedMs),
    route: call.route,
    ...(progress.answer && { lane: progress.answer.lane }),
    ...(model !== undefined && { model }),
    ...(progress.cacheAsked && { cache: saved ? ("hit" as const) : ("miss" as const) }),
  };
}

function settlementOf(core: Core, call: Call, paid: Paid): Settlement {
  const { progress } = call;
  const { deployment } = progress;
  const upstreamCallId = progress.answer?.meter.upstreamId();
  return {
    callId: call.id,
    at: core.now(),
    outcome: progress.outcome,
    ...paid,
    status: progress.status,
    latencyMs: performance.now() - call.began,
    retries: progress.retries,
    fallbacks: progress.fallbacks,
    ...(deployment && { deploymentId: deployment.id, provider: deployment.provider, upstreamModel: deployment.model }),
    ...(upstreamCallId !== undefined && { upstreamCallId }),
    ...(progress.errorCode !== undefined && { errorCode: progress.errorCode }),
    ...(progress.firstByteMs !== undefined && { firstByteMs: progress.firstByteMs }),
  };
}

function cached({ usage, usd }: Saved): Paid {
  return { usage, estimated: false, costUsd: 0, savedUsd: usd, priced: true };
}

const CHARACTERS_PER_TOKEN = 4;

/** What the answer used: as the provider says, else as far as it said, else counted from text. */
export function counted({ asked, progress }: Pick<Call, "asked" | "progress">): Counted {
  const { answer, pending } = progress;
  if (!answer) return { usage: pending ? inputOf(asked) : NO_TOKENS, estimated: pending };
  const usage = answer.meter.usage();
  if (usage !== undefined && answer.meter.complete()) return { usage, estimated: false };
  const said = Math.ceil(answer.meter.characters() / CHARACTERS_PER_TOKEN);
  if (usage === undefined) {
    return {
      usage: { ...inputOf(asked), outputTokens: asked.format === "embeddings" ? 0 : said },
      estimated: true,
    };
  }
  return {
    usage: { ...usage, outputTokens: Math.max(usage.outputTokens, said - usage.reasoningTokens) },
    estimated: true,
  };
}

const inputOf = (asked: Asked): TokenUsage => ({ ...NO_TOKENS, inputTokens: promptCount(asked) });

const NONE_UNANSWERED: Unanswered = { tries: 0, inputTokens: 0, costUsd: 0, priced: true };

/** What was unanswered so far and the last try, which a provider was sent and may bill. */
export function unansweredTry(core: Core, { asked, progress }: Call): Unanswered {
  const { deployment, unanswered } = progress;
  const usage = inputOf(asked);
  const costUsd = deployment && core.prices.cost(deployment, usage);
  const { tries, inputTokens, ...before } = unanswered ?? NONE_UNANSWERED;
  return {
    tries: tries + 1,
    inputTokens: inputTokens + usage.inputTokens,
    costUsd: before.costUsd + (costUsd ?? 0),
    priced: before.priced && costUsd !== undefined,
  };
}

/** The answer, and the tries before it that a provider may count. */
function priced(core: Core, call: Call): Paid {
  const paid = answerPrice(core, call, counted(call));
  const { unanswered } = call.progress;
  if (unanswered === undefined) return paid;
  const usage = { ...paid.usage, inputTokens: paid.usage.inputTokens + unanswered.inputTokens };
  const costUsd = paid.costUsd + unanswered.costUsd;
  return { ...paid, usage, estimated: true, costUsd, priced: paid.priced && unanswered.priced, unanswered };
}

/** The provider's own word for the cost wins. Without a price, the cost is 0 and says nothing. */
function answerPrice(core: Core, { progress }: Call, count: Counted): Paid {
  const reported = count.estimated ? undefined : progress.answer?.meter.reportedCostUsd();
  const listed = listedCost(core, progress, count.usage);
  const costUsd = reported !== undefined && reported > 0 ? reported : (listed ?? reported);
  const nothing = Object.values(count.usage).every((tokens) => tokens === 0);
  return { ...count, costUsd: costUsd ?? 0, savedUsd: 0, priced: costUsd !== undefined || nothing };
}

function listedCost({ prices }: Core, { deployment, answer }: Progress, usage: TokenUsage): number | undefined {
  return deployment && prices.cost(deployment, usage, { tier: answer?.meter.tier?.() });
}

/** What the call costs, as far as it is known now. */
export function costSoFar(core: Core, call: Call): number | undefined {
  const { costUsd, priced: known } = priced(core, call);
  return known ? costUsd : undefined;
}

/** What its answer alone costs: what a copy of it saves. */
export function answerCost(core: Core, call: Call): number {
  return answerPrice(core, call, counted(call)).costUsd;
}
