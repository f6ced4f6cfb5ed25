import { applyEvent, type ConversationState } from "@handrail/protocol/conversation-state";
import type { ConversationEvent } from "@handrail/protocol/events";
import { expect, test } from "vitest";
import { continueEvents, messageEvents } from "./start-run.ts";
import { sampleCreated } from "./testing/log-samples.ts";

const LIMITS = { maxCostUsd: 20, maxSteps: 500 };
const content = [{ type: "text" as const, text: "Go." }];
const message = { messageId: "m_1", userId: "local", content, runId: "r_1" };

const after = (...events: readonly ConversationEvent[]): ConversationState =>
  events.reduce<ConversationState>(
    (state, event) => applyEvent(state, { seq: state.head + 1, at: 1, event }),
    applyEvent(null, { seq: 0, at: 1, event: sampleCreated({ runLimits: LIMITS }) }),
  );
const limitsOf = (events: readonly ConversationEvent[]) =>
  events.flatMap((event) => (event.type === "run.started" ? [event.limits] : []));

const fresh = after();
const working = after(...messageEvents(fresh, message));
const stopped = after(...messageEvents(fresh, message), {
  type: "run.ended",
  runId: "r_1",
  outcome: "limited",
  detail: "The run has taken 500 steps.",
});

test("a run that goes on has the limits that were named, and the conversation's for the rest", () => {
  expect(limitsOf(continueEvents(stopped, { runId: "r_2" }))).toEqual([LIMITS]);
  expect(limitsOf(continueEvents(stopped, { runId: "r_2", runLimits: { maxSteps: 900 } }))).toEqual([
    { maxCostUsd: 20, maxSteps: 900 },
  ]);
});

test("so has a run that a message starts", () => {
  expect(limitsOf(messageEvents(stopped, message))).toEqual([LIMITS]);
  expect(limitsOf(messageEvents(stopped, { ...message, runLimits: { maxTokens: 7 } }))).toEqual([
    { maxCostUsd: 20, maxSteps: 500, maxTokens: 7 },
  ]);
});

test("a message to a run under way cannot change its limits", () => {
  expect(messageEvents(working, message).map(({ type }) => type)).toEqual(["message.added"]);
  expect(() => messageEvents(working, { ...message, runLimits: { maxTokens: 7 } })).toThrow(
    expect.objectContaining({ code: "run_active" }),
  );
});
