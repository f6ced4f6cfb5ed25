import { expect, test } from "vitest";
import type { StoredEvent } from "./events.ts";
import { applyCosts, NO_COSTS } from "./costs.ts";

let seq = 0;
const step = (runId: string, model: string, costUsd: number, priced = true): StoredEvent[] => [
  { seq: seq++, at: 0, event: { type: "step.started", stepId: "s", runId, model } },
  {
    seq: seq++,
    at: 0,
    event: {
      type: "step.ended",
      stepId: "s",
      finish: "stop",
      content: [],
      usage: { inputTokens: 10, outputTokens: 2, cacheReadTokens: 8, cacheWriteTokens: 1, reasoningTokens: 1 },
      costUsd,
      priced,
      latencyMs: 100,
      model,
    },
  },
];
const cost = (steps: number, costUsd: number, unpricedSteps = 0) => ({
  steps,
  costUsd,
  unpricedSteps,
  usage: {
    inputTokens: 10 * steps,
    outputTokens: 2 * steps,
    cacheReadTokens: 8 * steps,
    cacheWriteTokens: steps,
    reasoningTokens: steps,
  },
  modelMs: 100 * steps,
});

test("costs add up in all, by model and by run, over any batches", () => {
  const events = [...step("r_1", "a", 1), ...step("r_1", "b", 2), ...step("r_2", "a", 0, false)];
  const expected = {
    total: cost(3, 3, 1),
    byModel: new Map([
      ["a", cost(2, 1, 1)],
      ["b", cost(1, 2)],
    ]),
    byRun: new Map([
      ["r_1", cost(2, 3)],
      ["r_2", cost(1, 0, 1)],
    ]),
    runId: "r_2",
  };
  expect(applyCosts(NO_COSTS, events)).toEqual(expected);
  expect(applyCosts(applyCosts(NO_COSTS, events.slice(0, 3)), events.slice(3))).toEqual(expected);
});
