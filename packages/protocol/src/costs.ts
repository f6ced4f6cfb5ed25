import type { EventOf, StoredEvent } from "./events.ts";
import { NO_USAGE, type Usage } from "./limits.ts";

/** Sums over steps. `costUsd` leaves out `unpricedSteps`, whose price is not known. */
export type Cost = {
  readonly steps: number;
  readonly costUsd: number;
  readonly unpricedSteps: number;
  readonly usage: Usage;
  /** Time spent waiting for the model. */
  readonly modelMs: number;
};

/** What a conversation has cost: in all, by model, and by run in the order of the runs. */
export type Costs = {
  readonly total: Cost;
  readonly byModel: ReadonlyMap<string, Cost>;
  readonly byRun: ReadonlyMap<string, Cost>;
  /** The run that steps belong to now. */
  readonly runId: string | null;
};

const NO_COST: Cost = { steps: 0, costUsd: 0, unpricedSteps: 0, usage: NO_USAGE, modelMs: 0 };

export const NO_COSTS: Costs = { total: NO_COST, byModel: new Map(), byRun: new Map(), runId: null };

/** The costs after more events, in order. Pure; one copy for the whole batch. */
export function applyCosts(costs: Costs, events: readonly StoredEvent[]): Costs {
  let { total, runId } = costs;
  const byModel = new Map(costs.byModel);
  const byRun = new Map(costs.byRun);
  for (const { event } of events) {
    if (event.type === "step.started") runId = event.runId;
    if (event.type !== "step.ended") continue;
    total = plus(total, event);
    byModel.set(event.model, plus(byModel.get(event.model) ?? NO_COST, event));
    if (runId !== null) byRun.set(runId, plus(byRun.get(runId) ?? NO_COST, event));
  }
  return { total, byModel, byRun, runId };
}

function plus(cost: Cost, step: EventOf<"step.ended">): Cost {
  return {
    steps: cost.steps + 1,
    costUsd: cost.costUsd + step.costUsd,
    unpricedSteps: cost.unpricedSteps + (step.priced ? 0 : 1),
    usage: {
      inputTokens: cost.usage.inputTokens + step.usage.inputTokens,
      outputTokens: cost.usage.outputTokens + step.usage.outputTokens,
      cacheReadTokens: cost.usage.cacheReadTokens + step.usage.cacheReadTokens,
      cacheWriteTokens: cost.usage.cacheWriteTokens + step.usage.cacheWriteTokens,
      reasoningTokens: cost.usage.reasoningTokens + step.usage.reasoningTokens,
    },
    modelMs: cost.modelMs + step.latencyMs,
  };
}
