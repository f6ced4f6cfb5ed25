import type { EventOf, EventType, StoredEvent } from "./events.ts";
import type { MarkerItem, StepItem, TranscriptCall, TranscriptItem, TranscriptPart } from "./transcript-items.ts";

/** A conversation as people read it. Items keep their identity while nothing about them changes. */
export type Transcript = {
  readonly items: readonly TranscriptItem[];
  /** The `seq` of the last event folded in; -1 before the first. */
  readonly head: number;
  readonly runStartedAt: number | null;
  /** Where the open step, the calls without an outcome and the unread messages are in `items`. */
  readonly openStep: number | null;
  readonly pendingCalls: ReadonlyMap<string, number>;
  readonly queued: readonly number[];
};

/** The transcript of an empty log. */
export const NO_TRANSCRIPT: Transcript = {
  items: [],
  head: -1,
  runStartedAt: null,
  openStep: null,
  pendingCalls: new Map(),
  queued: [],
};

/**
 * The transcript after more events, in order. Pure; one copy for the whole batch, so hand over many at once. Events
 * at or below `head` are passed over.
 */
export function applyTranscript(transcript: Transcript, events: readonly StoredEvent[]): Transcript {
  const draft: Draft = {
    ...transcript,
    items: [...transcript.items],
    pendingCalls: new Map(transcript.pendingCalls),
    queued: [...transcript.queued],
  };
  for (const stored of events) {
    if (stored.seq <= draft.head) continue;
    draft.head = stored.seq;
    const apply = APPLY[stored.event.type] as (draft: Draft, event: unknown, stored: StoredEvent) => void;
    apply(draft, stored.event, stored);
  }
  return draft;
}

/** A transcript that only the batch under way holds, so it may be changed in place. Items never are. */
type Draft = {
  items: TranscriptItem[];
  head: number;
  runStartedAt: number | null;
  openStep: number | null;
  pendingCalls: Map<string, number>;
  queued: number[];
};

type Apply<Type extends EventType> = (draft: Draft, event: EventOf<Type>, stored: StoredEvent) => void;

const APPLY: { readonly [Type in EventType]: Apply<Type> } = {
  "conversation.created": addMarker,
  "conversation.renamed": addMarker,
  "conversation.archived": addMarker,
  "conversation.unarchived": addMarker,
  "conversation.configured": addMarker,
  "workspace.prepared": addMarker,
  "workspace.checkpointed": () => {},
  "workspace.lost": () => {},
  "workspace.restored": () => {},
  "setup.started": placeSetup,
  "setup.ended": placeSetup,
  "instructions.loaded": addMarker,
  "sandbox.started": addMarker,
  "sandbox.stopped": addMarker,
  "sandbox.lost": addMarker,
  "result.delivered": addMarker,
  "notice.added": addMarker,
  "limit.reached": addMarker,
  "stuck.detected": addMarker,
  "network.asked": addMarker,
  "network.answered": addAnswer,
  "network.limited": addMarker,
  "network.recorded": () => {},
  "message.added": addMessage,
  "run.started": startRun,
  "run.resumed": resumeRun,
  "run.ended": endRun,
  "step.started": startStep,
  "step.retried": retryStep,
  "step.ended": endStep,
  "call.started": startCall,
  "call.ended": endCall,
};

function addMarker(draft: Draft, event: MarkerItem["event"], { seq, at }: StoredEvent): void {
  draft.items.push({ kind: "marker", seq, at, event, tookMs: null });
}

function addAnswer(draft: Draft, event: EventOf<"network.answered">, { seq, at }: StoredEvent): void {
  const asks = draft.items.flatMap((item) =>
    item.kind === "marker" && item.event.type === "network.asked" ? [item.event] : [],
  );
  const asked = asks.find(({ askId }) => askId === event.askId);
  draft.items.push({ kind: "marker", seq, at, event, tookMs: null, ...(asked && { asked }) });
}

/** One line for each set-up: how it ended takes the place of what said that it was under way. */
function placeSetup(draft: Draft, event: EventOf<"setup.started" | "setup.ended">, stored: StoredEvent): void {
  const open = draft.items.findLastIndex((item) => item.kind === "marker" && item.event.type === "setup.started");
  const item = draft.items[open];
  if (item?.kind === "marker") draft.items[open] = { ...item, event };
  else addMarker(draft, event, stored);
}

function addMessage(draft: Draft, event: EventOf<"message.added">, { seq, at }: StoredEvent): void {
  const queued = draft.runStartedAt !== null;
  if (queued) draft.queued.push(draft.items.length);
  const { messageId, userId, content } = event;
  draft.items.push({ kind: "message", seq, at, messageId, userId, content, queued });
}

function startRun(draft: Draft, event: EventOf<"run.started">, stored: StoredEvent): void {
  draft.runStartedAt = stored.at;
  addMarker(draft, event, stored);
}

function resumeRun(draft: Draft, event: EventOf<"run.resumed">, stored: StoredEvent): void {
  closeStep(draft);
  addMarker(draft, event, stored);
}

function endRun(draft: Draft, event: EventOf<"run.ended">, { seq, at }: StoredEvent): void {
  closeStep(draft);
  for (const [callId, index] of draft.pendingCalls) {
    changeCall(draft, index, callId, (call) => ({ ...call, state: call.state === "running" ? "lost" : "dropped" }));
  }
  draft.pendingCalls.clear();
  const tookMs = draft.runStartedAt === null ? null : at - draft.runStartedAt;
  draft.runStartedAt = null;
  draft.items.push({ kind: "marker", seq, at, event, tookMs });
}

function startStep(draft: Draft, event: EventOf<"step.started">, { seq, at }: StoredEvent): void {
  closeStep(draft);
  for (const index of draft.queued) {
    const item = draft.items[index];
    if (item?.kind === "message") draft.items[index] = { ...item, queued: false };
  }
  draft.queued = [];
  draft.openStep = draft.items.length;
  const { stepId, model } = event;
  draft.items.push({ kind: "step", seq, at, stepId, model, open: true, parts: [], retries: [], ended: null });
}

function retryStep(draft: Draft, event: EventOf<"step.retried">): void {
  changeStep(draft, draft.openStep, (step) => ({ ...step, retries: [...step.retries, event] }));
}

function endStep(draft: Draft, event: EventOf<"step.ended">): void {
  const index = draft.openStep;
  if (index === null) return;
  const { content, type: _type, stepId: _stepId, ...ended } = event;
  const cut = event.finish === "cancelled" || event.finish === "failed";
  const parts = content.map((part): TranscriptPart => {
    if (part.type !== "call") return { type: part.type, text: part.text };
    if (!cut) draft.pendingCalls.set(part.callId, index);
    return { type: "call", call: newCall(part, cut ? "dropped" : "asked") };
  });
  changeStep(draft, index, (step) => ({ ...step, open: false, parts, ended }));
  draft.openStep = null;
}

function newCall(
  part: { readonly callId: string; readonly tool: string; readonly arguments: string },
  state: "asked" | "dropped",
): TranscriptCall {
  return {
    callId: part.callId,
    tool: part.tool,
    arguments: part.arguments,
    state,
    startedAt: null,
    durationMs: null,
    errorCode: undefined,
    content: [],
    data: {},
  };
}

function startCall(draft: Draft, event: EventOf<"call.started">, { at }: StoredEvent): void {
  const index = draft.pendingCalls.get(event.callId);
  if (index === undefined) return;
  changeCall(draft, index, event.callId, (call) => ({ ...call, state: "running", startedAt: at }));
}

function endCall(draft: Draft, event: EventOf<"call.ended">): void {
  const index = draft.pendingCalls.get(event.callId);
  if (index === undefined) return;
  draft.pendingCalls.delete(event.callId);
  const { outcome: state, durationMs, errorCode, content, data } = event;
  changeCall(draft, index, event.callId, (call) => ({ ...call, state, durationMs, errorCode, content, data }));
}

function closeStep(draft: Draft): void {
  changeStep(draft, draft.openStep, (step) => ({ ...step, open: false }));
  draft.openStep = null;
}

function changeStep(draft: Draft, index: number | null, change: (step: StepItem) => StepItem): void {
  if (index === null) return;
  const item = draft.items[index];
  if (item?.kind === "step") draft.items[index] = change(item);
}

function changeCall(
  draft: Draft,
  index: number,
  callId: string,
  change: (call: TranscriptCall) => TranscriptCall,
): void {
  changeStep(draft, index, (step) => ({
    ...step,
    parts: step.parts.map((part) =>
      part.type === "call" && part.call.callId === callId ? { type: "call", call: change(part.call) } : part,
    ),
  }));
}
