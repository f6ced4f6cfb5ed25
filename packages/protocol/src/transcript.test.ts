import { expect, test } from "vitest";
import type { ConversationEvent, StoredEvent } from "./events.ts";
import { NO_USAGE } from "./limits.ts";
import { applyTranscript, NO_TRANSCRIPT } from "./transcript.ts";
import type { TranscriptItem } from "./transcript-items.ts";

const log = (...events: ConversationEvent[]): StoredEvent[] =>
  events.map((event, seq) => ({ seq, at: 1000 + seq, event }));

const message = (id: string): ConversationEvent => ({
  type: "message.added",
  messageId: id,
  userId: "u_1",
  content: [{ type: "text", text: id }],
});
const runStarted: ConversationEvent = { type: "run.started", runId: "r_1", messageId: "m_1", limits: {} };
const stepStarted = (stepId: string): ConversationEvent => ({
  type: "step.started",
  stepId,
  runId: "r_1",
  model: "test",
});
const stepEnded = (
  stepId: string,
  finish: "calls" | "stop" | "cancelled",
  ...callIds: string[]
): ConversationEvent => ({
  type: "step.ended",
  stepId,
  finish,
  content: [
    { type: "text", text: "hello" },
    ...callIds.map((callId) => ({ type: "call" as const, callId, providerId: "p", tool: "read", arguments: "{}" })),
  ],
  usage: NO_USAGE,
  costUsd: 0.5,
  priced: true,
  latencyMs: 7,
  model: "test",
});
const callStarted = (callId: string): ConversationEvent => ({
  type: "call.started",
  callId,
  stepId: "s_1",
  tool: "read",
});
const callEnded = (callId: string): ConversationEvent => ({
  type: "call.ended",
  callId,
  outcome: "ok",
  content: [{ type: "text", text: "out" }],
  data: { path: "a.ts" },
  durationMs: 3,
});
const runEnded: ConversationEvent = { type: "run.ended", runId: "r_1", outcome: "done", detail: "" };

const itemsOf = (...events: ConversationEvent[]) => applyTranscript(NO_TRANSCRIPT, log(...events)).items;
const callStates = (items: readonly TranscriptItem[]) =>
  items.flatMap((item) =>
    item.kind === "step" ? item.parts.flatMap((part) => (part.type === "call" ? [part.call.state] : [])) : [],
  );

test("a step holds its parts, and its calls hold their outcome", () => {
  const [step] = itemsOf(stepStarted("s_1"), stepEnded("s_1", "calls", "k_1"), callStarted("k_1"), callEnded("k_1"));
  expect(step).toEqual({
    kind: "step",
    seq: 0,
    at: 1000,
    stepId: "s_1",
    model: "test",
    open: false,
    retries: [],
    parts: [
      { type: "text", text: "hello" },
      {
        type: "call",
        call: {
          callId: "k_1",
          tool: "read",
          arguments: "{}",
          state: "ok",
          startedAt: 1002,
          durationMs: 3,
          errorCode: undefined,
          content: [{ type: "text", text: "out" }],
          data: { path: "a.ts" },
        },
      },
    ],
    ended: { finish: "calls", usage: NO_USAGE, costUsd: 0.5, priced: true, latencyMs: 7, model: "test" },
  });
});

test("a message is queued only while a run is under way and until a step starts", () => {
  const before = itemsOf(message("m_1"), runStarted, stepStarted("s_1"), message("m_2"));
  expect(before.flatMap((item) => (item.kind === "message" ? [item.queued] : []))).toEqual([false, true]);
  const after = itemsOf(message("m_1"), runStarted, stepStarted("s_1"), message("m_2"), stepStarted("s_2"));
  expect(after.flatMap((item) => (item.kind === "message" ? [item.queued] : []))).toEqual([false, false]);
});

test("calls of a cut step were not made", () => {
  expect(callStates(itemsOf(stepStarted("s_1"), stepEnded("s_1", "cancelled", "k_1")))).toEqual(["dropped"]);
});

test("a run's end closes what was left open: sent calls are lost, others were not made", () => {
  const items = itemsOf(
    runStarted,
    stepStarted("s_1"),
    stepEnded("s_1", "calls", "k_1", "k_2"),
    callStarted("k_1"),
    stepStarted("s_2"),
    runEnded,
  );
  expect(callStates(items)).toEqual(["lost", "dropped"]);
  expect(items.filter((item) => item.kind === "step").map((step) => step.open)).toEqual([false, false]);
  expect(items.at(-1)).toMatchObject({ kind: "marker", tookMs: 5 });
});

test("any cut into batches gives the same transcript, and repeats are passed over", () => {
  const events = log(
    message("m_1"),
    runStarted,
    stepStarted("s_1"),
    { type: "step.retried", stepId: "s_1", attempt: 1, maxAttempts: 5, delayMs: 9, errorCode: "internal", detail: "" },
    stepEnded("s_1", "calls", "k_1"),
    callStarted("k_1"),
    message("m_2"),
    callEnded("k_1"),
    stepStarted("s_2"),
    stepEnded("s_2", "stop"),
    runEnded,
  );
  const whole = applyTranscript(NO_TRANSCRIPT, events);
  for (let cut = 0; cut <= events.length; cut++) {
    const first = applyTranscript(NO_TRANSCRIPT, events.slice(0, cut));
    expect(applyTranscript(first, events.slice(Math.max(0, cut - 2)))).toEqual(whole);
  }
});

test("folding is pure, and untouched items keep their identity", () => {
  const first = applyTranscript(NO_TRANSCRIPT, log(message("m_1"), runStarted, stepStarted("s_1")));
  const frozen = JSON.stringify(first.items);
  const second = applyTranscript(first, [{ seq: 3, at: 9, event: stepEnded("s_1", "stop") }]);
  expect(JSON.stringify(first.items)).toBe(frozen);
  expect(second.items[0]).toBe(first.items[0]);
  expect(second.items[2]).not.toBe(first.items[2]);
});
