import type { ConversationEvent, StoredEvent } from "@handrail/protocol/events";
import { NO_USAGE } from "@handrail/protocol/limits";

export const CONVERSATION = "c_0123456789abcdefghjk";
const RUN = "r_0123456789abcdefghjk";
const text = (value: string) => [{ type: "text" as const, text: value }];
const call = (callId: string, tool: string, args: object) => ({
  type: "call" as const,
  callId,
  providerId: callId,
  tool,
  arguments: JSON.stringify(args),
});

const step = (stepId: string, content: Extract<ConversationEvent, { type: "step.ended" }>["content"]) => ({
  type: "step.ended" as const,
  stepId,
  finish: "calls" as const,
  content,
  usage: { ...NO_USAGE, inputTokens: 1000, outputTokens: 20 },
  costUsd: 0.0125,
  priced: true,
  latencyMs: 900,
  model: "m",
});

const EVENTS: readonly ConversationEvent[] = [
  {
    type: "conversation.created",
    conversationId: CONVERSATION,
    ownerId: "local",
    teamId: null,
    title: "Fix the test",
    source: { type: "folder", path: "/home/me/project" },
    sandbox: { backend: "docker", network: { type: "none" } },
    model: "m",
    limits: {},
    runLimits: {},
  },
  { type: "message.added", messageId: "m_0123456789abcdefghjk", userId: "local", content: text("Fix the test.") },
  { type: "run.started", runId: RUN, messageId: "m_0123456789abcdefghjk", limits: { maxSteps: 2 } },
  { type: "workspace.prepared", files: 1, bytes: 10 },
  {
    type: "sandbox.started",
    sandboxId: "x_0123456789abcdefghjk",
    backend: "docker",
    bootId: "b",
    durationMs: 420,
  },
  { type: "step.started", stepId: "s_0123456789abcdefghj1", runId: RUN, model: "m" },
  {
    type: "step.retried",
    stepId: "s_0123456789abcdefghj1",
    attempt: 1,
    maxAttempts: 5,
    delayMs: 2000,
    errorCode: "model_overloaded",
    detail: "The model is overloaded.",
  },
  step("s_0123456789abcdefghj1", [
    { type: "text", text: "I run the \x1b[31mtests\x1b[0m first." },
    call("k_0123456789abcdefghj1", "terminal", { command: "npm test\necho \x1b]0;owned\x07done" }),
    call("k_0123456789abcdefghj2", "read", { path: "src/sum.ts" }),
  ]),
  { type: "call.started", callId: "k_0123456789abcdefghj1", stepId: "s_0123456789abcdefghj1", tool: "terminal" },
  {
    type: "call.ended",
    callId: "k_0123456789abcdefghj1",
    outcome: "ok",
    content: text("1 failing"),
    data: { exitCode: 1 },
    durationMs: 2340,
  },
  {
    type: "call.ended",
    callId: "k_0123456789abcdefghj2",
    outcome: "ok",
    content: text("1 a"),
    data: { lines: 12 },
    durationMs: 4,
  },
  { type: "step.started", stepId: "s_0123456789abcdefghj2", runId: RUN, model: "m" },
  step("s_0123456789abcdefghj2", [
    call("k_0123456789abcdefghj3", "edit", { path: "src/sum.ts", old_text: "-", new_text: "+" }),
    call("k_0123456789abcdefghj4", "edit", { path: "../x" }),
  ]),
  {
    type: "call.ended",
    callId: "k_0123456789abcdefghj3",
    outcome: "ok",
    content: text("Edited."),
    data: { edits: [{ path: "src/sum.ts", created: false, added: 1, removed: 1, hunks: "" }] },
    durationMs: 3,
  },
  {
    type: "call.ended",
    callId: "k_0123456789abcdefghj4",
    outcome: "error",
    errorCode: "path_outside",
    content: text("The path is outside\nof the workspace."),
    data: {},
    durationMs: 1,
  },
  { type: "limit.reached", scope: "run", limit: "maxSteps", value: 2, max: 2 },
  { type: "run.ended", runId: RUN, outcome: "limited", detail: "The run took 2 steps, which is its limit." },
];

/** A log with a bit of everything: a retry, calls that end well and badly, escape sequences, a limit. */
export const RECORDED_RUN: readonly StoredEvent[] = EVENTS.map((event, seq) => ({ seq, at: seq * 1000, event }));
