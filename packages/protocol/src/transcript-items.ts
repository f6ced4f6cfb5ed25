import type { ContentPart } from "./content.ts";
import type { EventOf } from "./events.ts";
import type { CallData } from "./run-events.ts";

/**
 * A call as a reader sees it. `asked`: the model wants it and it has not left yet. `dropped`: it was never made,
 * because its step was cut or its run ended first. `content` is what the model was told.
 */
export type TranscriptCall = {
  readonly callId: string;
  readonly tool: string;
  readonly arguments: string;
  readonly state: "asked" | "running" | "dropped" | EventOf<"call.ended">["outcome"];
  readonly startedAt: number | null;
  readonly durationMs: number | null;
  readonly errorCode: string | undefined;
  readonly content: readonly ContentPart[];
  readonly data: CallData;
};

/** One thing that the model said in a step, in its order. */
export type TranscriptPart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "reasoning"; readonly text: string }
  | { readonly type: "call"; readonly call: TranscriptCall };

/** A message. `queued`: a run is under way and no step has read it yet. */
export type MessageItem = {
  readonly kind: "message";
  readonly seq: number;
  readonly at: number;
  readonly messageId: string;
  readonly userId: string;
  readonly content: readonly ContentPart[];
  readonly queued: boolean;
};

/**
 * A step. `ended` is null while the model speaks, and for good when its server went (`given up`). `retries` are the
 * attempts that failed, oldest first.
 */
export type StepItem = {
  readonly kind: "step";
  readonly seq: number;
  readonly at: number;
  readonly stepId: string;
  readonly model: string;
  readonly open: boolean;
  readonly parts: readonly TranscriptPart[];
  readonly retries: readonly EventOf<"step.retried">[];
  readonly ended: Omit<EventOf<"step.ended">, "content" | "type" | "stepId"> | null;
};

type MarkerType =
  | "conversation.created"
  | "conversation.renamed"
  | "conversation.archived"
  | "conversation.unarchived"
  | "conversation.configured"
  | "workspace.prepared"
  | "instructions.loaded"
  | "setup.started"
  | "setup.ended"
  | "sandbox.started"
  | "sandbox.stopped"
  | "sandbox.lost"
  | "result.delivered"
  | "run.started"
  | "run.resumed"
  | "run.ended"
  | "notice.added"
  | "limit.reached"
  | "stuck.detected"
  | "network.asked"
  | "network.answered"
  | "network.limited";

/**
 * An event that is shown as a line of its own. `tookMs` is how long the run took, on `run.ended`; `asked` is what was
 * answered, on `network.answered`.
 */
export type MarkerItem = {
  readonly kind: "marker";
  readonly seq: number;
  readonly at: number;
  readonly event: EventOf<MarkerType>;
  readonly tookMs: number | null;
  readonly asked?: EventOf<"network.asked">;
};

export type TranscriptItem = MessageItem | StepItem | MarkerItem;
