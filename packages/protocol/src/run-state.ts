import type { ActiveRun, CallTrace, ConversationState, PendingCall } from "./conversation-state.ts";
import { textOf } from "./content.ts";
import type { ConversationEvent, EventOf } from "./events.ts";
import type { Usage } from "./limits.ts";

const RUN_EVENTS = [
  "run.started",
  "run.resumed",
  "run.ended",
  "step.started",
  "step.retried",
  "step.ended",
  "call.started",
  "call.ended",
  "limit.reached",
  "stuck.detected",
  "notice.added",
] as const;

type RunEventType = (typeof RUN_EVENTS)[number];
type RunEvent = EventOf<RunEventType>;
type Apply<Type extends RunEventType> = (
  state: ConversationState,
  event: EventOf<Type>,
  at: number,
) => ConversationState;

/** Whether the event is one that the fold of the active run takes. */
export function isRunEvent(event: ConversationEvent): event is RunEvent {
  return (RUN_EVENTS as readonly string[]).includes(event.type);
}

/** The part of the fold that tells how the active run stands. Pure. */
export function applyRunEvent(state: ConversationState, event: RunEvent, at: number): ConversationState {
  const apply = APPLY[event.type] as (state: ConversationState, event: unknown, at: number) => ConversationState;
  return apply(state, event, at);
}

const APPLY: { readonly [Type in RunEventType]: Apply<Type> } = {
  "run.started": (state, event, at) => ({
    ...state,
    run: newRun(event, at),
    totals: { ...state.totals, runs: state.totals.runs + 1 },
  }),
  "run.resumed": (state) => withRun(state, { step: null }),
  "run.ended": runEnded,
  "step.started": (state, event, at) => ({
    ...withRun(state, { step: { stepId: event.stepId, startedAt: at, attempt: 1 } }),
    unread: 0,
  }),
  "step.retried": (state, event) =>
    state.run?.step ? withRun(state, { step: { ...state.run.step, attempt: event.attempt + 1 } }) : state,
  "step.ended": stepEnded,
  "call.started": (state, event, at) => ({
    ...state,
    calls: state.calls.map((call) =>
      call.callId === event.callId ? { ...call, started: { at, bootId: event.bootId } } : call,
    ),
  }),
  "call.ended": callEnded,
  "limit.reached": (state, event) =>
    withRun(state, { limit: { scope: event.scope, limit: event.limit, value: event.value, max: event.max } }),
  "stuck.detected": (state, event) => withRun(state, { stuck: event.action, traces: [] }),
  "notice.added": (state, event) =>
    event.audience === "user" || state.run === null
      ? state
      : // The model has something new to answer, so the next thing to do is a step.
        withRun(state, { notices: [...state.run.notices, event.code], lastStep: null }),
};

function newRun(event: EventOf<"run.started">, at: number): ActiveRun {
  return {
    runId: event.runId,
    messageId: event.messageId,
    startedAt: at,
    limits: event.limits,
    steps: 0,
    costUsd: 0,
    tokens: 0,
    step: null,
    lastStep: null,
    closing: null,
    notices: [],
    traces: [],
    stuck: "no",
    limit: null,
  };
}

const withRun = (state: ConversationState, change: Partial<ActiveRun>): ConversationState =>
  state.run === null ? state : { ...state, run: { ...state.run, ...change } };

function runEnded(state: ConversationState, event: EventOf<"run.ended">, at: number): ConversationState {
  const tookMs = state.run === null ? 0 : at - state.run.startedAt;
  return {
    ...state,
    run: null,
    calls: [],
    lastRun: {
      runId: event.runId,
      outcome: event.outcome,
      detail: event.detail,
      errorCode: event.errorCode,
      endedAt: at,
    },
    totals: { ...state.totals, timeMs: state.totals.timeMs + tookMs },
  };
}

function stepEnded(state: ConversationState, event: EventOf<"step.ended">): ConversationState {
  const tokens = event.usage.inputTokens + event.usage.outputTokens;
  const cut = event.finish === "cancelled" || event.finish === "failed";
  const asked = cut ? [] : event.content.filter((part) => part.type === "call");
  const calls: PendingCall[] = asked.map((part) => ({
    callId: part.callId,
    stepId: event.stepId,
    tool: part.tool,
    arguments: part.arguments,
    started: null,
  }));
  const { run } = state;
  return {
    ...state,
    calls,
    contextTokens: tokens === 0 ? state.contextTokens : tokens,
    run: run && {
      ...run,
      step: null,
      closing: null,
      steps: run.steps + 1,
      costUsd: run.costUsd + event.costUsd,
      tokens: run.tokens + tokens,
      lastStep: { finish: event.finish, calls: calls.length, text: textOf(event.content) },
      notices: calls.length > 0 ? [] : run.notices,
    },
    totals: {
      ...state.totals,
      steps: state.totals.steps + 1,
      costUsd: state.totals.costUsd + event.costUsd,
      unpricedSteps: state.totals.unpricedSteps + (event.priced ? 0 : 1),
      usage: sum(state.totals.usage, event.usage),
    },
  };
}

function callEnded(state: ConversationState, event: EventOf<"call.ended">): ConversationState {
  const call = state.calls.find((pending) => pending.callId === event.callId);
  if (call === undefined) return state;
  const rest = { ...state, calls: state.calls.filter((pending) => pending !== call) };
  const next = event.data.tasks === undefined ? rest : { ...rest, tasks: event.data.tasks };
  // Waiting for a long command gives the same call and result again and again; that is no circle.
  if (next.run === null || event.data.running === true) return next;
  const trace: CallTrace = {
    tool: call.tool,
    call: hashOf(call.tool + "\n" + call.arguments),
    result: hashOf(`${event.outcome}\n${textOf(event.content)}`),
    failed: event.outcome !== "ok" || (event.data.exitCode ?? 0) !== 0,
  };
  return withRun(next, {
    traces: [...next.run.traces, trace].slice(-12),
    closing: closingOf(call.tool, event) ?? next.run.closing,
  });
}

function closingOf(tool: string, event: EventOf<"call.ended">): ActiveRun["closing"] {
  if (event.outcome !== "ok") return null;
  if (tool === "finish") return { outcome: "done", detail: textOf(event.content) };
  if (tool === "ask") return { outcome: "asked", detail: event.data.question ?? textOf(event.content) };
  return null;
}

function sum(left: Usage, right: Usage): Usage {
  return {
    inputTokens: left.inputTokens + right.inputTokens,
    outputTokens: left.outputTokens + right.outputTokens,
    cacheReadTokens: left.cacheReadTokens + right.cacheReadTokens,
    cacheWriteTokens: left.cacheWriteTokens + right.cacheWriteTokens,
    reasoningTokens: left.reasoningTokens + right.reasoningTokens,
  };
}

/** FNV-1a, 32 bits, over UTF-16 units (draft-eastlake-fnv): equal texts give equal numbers; for comparing only. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
