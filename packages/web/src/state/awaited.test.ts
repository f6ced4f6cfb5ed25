import type { ActiveRun, ConversationState } from "@handrail/protocol/conversation-state";
import { expect, test } from "vitest";
import { awaited } from "./awaited.ts";
import { applyDelta, NO_FRAGMENTS } from "./live-fragments.ts";

const run = (step: ActiveRun["step"]) => ({ step }) as ActiveRun;
const state = (part: Partial<ConversationState>) => ({ run: null, calls: [], ...part }) as unknown as ConversationState;
const inStep = state({ run: run({ stepId: "s", startedAt: 0, attempt: 2 }) });

test("nothing is awaited when no run is under way, or while text comes in", () => {
  expect(awaited(state({}), NO_FRAGMENTS, null, 0)).toBe("");
  const live = applyDelta(NO_FRAGMENTS, { type: "text.delta", stepId: "s", offset: 0, text: "a" });
  expect(awaited(inStep, live, null, 5000)).toBe("");
});

test("the model is awaited with the attempt and why the last one failed", () => {
  expect(awaited(inStep, NO_FRAGMENTS, null, 12_400)).toBe("Waiting for the model, 12 s");
  expect(awaited(inStep, NO_FRAGMENTS, { maxAttempts: 5, errorCode: "model_rate_limited" }, 12_400)).toBe(
    "Waiting for the model, 12 s, attempt 2 of 5 after a rate limit",
  );
});

test("what the server says it waits for comes first", () => {
  const live = applyDelta(NO_FRAGMENTS, { type: "progress.delta", text: "Pulling image, 41 of 96 MB" });
  expect(awaited(inStep, live, null, 0)).toBe("Pulling image, 41 of 96 MB");
});

test("a running command is named by its first line", () => {
  const call = {
    callId: "k",
    stepId: "s",
    tool: "terminal",
    arguments: JSON.stringify({ command: "npm test\necho done" }),
    started: { at: 0, bootId: undefined },
  };
  expect(awaited(state({ run: run(null), calls: [call] }), NO_FRAGMENTS, null, 3100)).toBe("Running npm test, 3 s");
});
