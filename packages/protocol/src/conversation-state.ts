import type { FileChange } from "./changes.ts";
import type { CheckpointPoint, Fork } from "./checkpoints.ts";
import { AppError } from "./errors.ts";
import type { EventOf, EventType, StoredEvent } from "./events.ts";
import type { LimitName, Limits, LimitScope, Usage } from "./limits.ts";
import {
  applyNetworkEvent,
  isNetworkEvent,
  NO_NETWORK_USE,
  type NetworkTotals,
  type OpenAsk,
} from "./network-state.ts";
import type { CallData, RunOutcome } from "./run-events.ts";
import { applyRunEvent, isRunEvent } from "./run-state.ts";
import type { SetupChoice } from "./setup.ts";
import type { BackendName, SandboxChoice, WorkspaceSource } from "./sources.ts";

/** A call that has no outcome yet. `started` is null until `call.started` is in the log. */
export type PendingCall = {
  readonly callId: string;
  readonly stepId: string;
  readonly tool: string;
  readonly arguments: string;
  readonly started: { readonly at: number; readonly bootId: string | undefined } | null;
};

/** A call with its outcome, as the stuck detector sees it: two numbers that are equal when the texts were. */
export type CallTrace = {
  readonly tool: string;
  readonly call: number;
  readonly result: number;
  readonly failed: boolean;
};

/** The run under way, as far as the log tells. Sums are of this run alone. */
export type ActiveRun = {
  readonly runId: string;
  readonly messageId: string;
  readonly startedAt: number;
  readonly limits: Limits;
  readonly steps: number;
  readonly costUsd: number;
  readonly tokens: number;
  /** The step in flight, or null between steps. */
  readonly step: { readonly stepId: string; readonly startedAt: number; readonly attempt: number } | null;
  /** How the latest step of this run ended, or null before the first. */
  readonly lastStep: {
    readonly finish: EventOf<"step.ended">["finish"];
    readonly calls: number;
    readonly text: string;
  } | null;
  /** Set when the agent called `finish` or `ask`: the run ends once no call is pending. */
  readonly closing: { readonly outcome: "done" | "asked"; readonly detail: string } | null;
  /** Codes of notices to the model since the last step that made calls; newest last. */
  readonly notices: readonly string[];
  /** The latest calls, oldest first, at most 12. */
  readonly traces: readonly CallTrace[];
  readonly stuck: "no" | "told" | "stopped";
  readonly limit: {
    readonly scope: LimitScope;
    readonly limit: LimitName;
    readonly value: number;
    readonly max: number;
  } | null;
};

export type Totals = {
  readonly runs: number;
  readonly steps: number;
  readonly costUsd: number;
  readonly unpricedSteps: number;
  readonly timeMs: number;
  readonly usage: Usage;
};

/** What is kept of the workspace outside of the sandbox. */
export type SnapshotState = {
  /** The conversation that the family's snapshots are kept under. */
  readonly lineage: string;
  readonly fork: Fork | undefined;
  /** What changes are against; null when it was not kept. */
  readonly start: CheckpointPoint | null;
  /** As the workspace was when it was last kept or restored. */
  readonly latest: CheckpointPoint | null;
  /** The workspace is gone, and not yet brought back. */
  readonly lost: boolean;
};

/** The set-up of the workspace. `running` is null while none is under way; `done`: there is nothing more to run. */
export type SetupState = {
  readonly running: { readonly callId: string; readonly bootId: string; readonly at: number } | null;
  readonly attempts: number;
  readonly done: boolean;
};

/** A conversation as its log tells it, without the transcript. Small: fit to keep one for each open conversation. */
export type ConversationState = {
  readonly id: string;
  readonly ownerId: string;
  readonly teamId: string | null;
  readonly title: string;
  readonly archived: boolean;
  readonly source: WorkspaceSource;
  readonly sandbox: SandboxChoice;
  readonly model: string;
  readonly limits: Limits;
  readonly runLimits: Limits;
  /** The `seq` of the last event folded in. */
  readonly head: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly workspace: {
    readonly commit: string | undefined;
    readonly branch: string | undefined;
    readonly files: number;
  } | null;
  readonly liveSandbox: {
    readonly sandboxId: string;
    readonly bootId: string;
    readonly backend: BackendName;
  } | null;
  /** A spare may run under its id, and nobody has worked in it: no sandbox was noted yet. */
  readonly spare: boolean;
  readonly setupChoice: SetupChoice;
  /** Null while none has begun. */
  readonly setup: SetupState | null;
  readonly instructions: readonly string[];
  readonly run: ActiveRun | null;
  readonly lastRun: {
    readonly runId: string;
    readonly outcome: RunOutcome;
    readonly detail: string;
    readonly errorCode: string | undefined;
    readonly endedAt: number;
  } | null;
  readonly calls: readonly PendingCall[];
  /** Messages that no step has read yet. */
  readonly unread: number;
  /** Id of the latest message; null before the first. */
  readonly lastMessageId: string | null;
  readonly totals: Totals;
  /** What the sandbox wants to reach and nobody has answered yet, oldest first. */
  readonly asks: readonly OpenAsk[];
  readonly network: NetworkTotals;
  /** Up to which number the records in a server's file are in the log, by file. */
  readonly spooled?: Readonly<Record<string, number>>;
  readonly tasks: NonNullable<CallData["tasks"]>;
  readonly changes: readonly FileChange[];
  readonly snapshots: SnapshotState;
  /** Input and output tokens of the latest step: how much of the context is filled. */
  readonly contextTokens: number;
};

/** The state after one more event. Pure. @throws AppError `internal` when the log does not begin with its creation */
export function applyEvent(state: ConversationState | null, stored: StoredEvent): ConversationState {
  const { event, seq, at } = stored;
  if (event.type === "conversation.created") {
    if (state !== null) throw new AppError("internal", "The log begins twice.", { seq });
    return created(event, seq, at);
  }
  if (state === null) throw new AppError("internal", "The log does not begin with conversation.created.", { seq });
  if (seq !== state.head + 1) {
    throw new AppError("internal", "The log has a gap or a repeat.", { expected: state.head + 1, seq });
  }
  const moved = { ...state, head: seq, updatedAt: at };
  if (isNetworkEvent(event)) return applyNetworkEvent(moved, event, at);
  if (isRunEvent(event)) return applyRunEvent(moved, event, at);
  const apply = APPLY[event.type] as (state: ConversationState, event: unknown) => ConversationState;
  return apply(moved, event);
}

/** The state that a log tells, or null for an empty one. */
export function foldState(events: readonly StoredEvent[], from: ConversationState | null = null) {
  return events.reduce<ConversationState | null>(applyEvent, from);
}

type Plain = Exclude<EventType, `network.${string}` | `run.${string}` | `step.${string}` | `call.${string}`>;
type PlainType = Exclude<Plain, "conversation.created" | "limit.reached" | "stuck.detected" | "notice.added">;

const APPLY: { readonly [Type in PlainType]: (state: ConversationState, event: EventOf<Type>) => ConversationState } = {
  "conversation.renamed": (state, event) => ({ ...state, title: event.title }),
  "conversation.archived": (state) => ({ ...state, archived: true }),
  "conversation.unarchived": (state) => ({ ...state, archived: false }),
  "conversation.configured": (state, event) => ({
    ...state,
    model: event.model ?? state.model,
    limits: event.limits ?? state.limits,
    runLimits: event.runLimits ?? state.runLimits,
    sandbox: { ...state.sandbox, network: event.network ?? state.sandbox.network },
  }),
  "message.added": (state, event) => ({ ...state, unread: state.unread + 1, lastMessageId: event.messageId }),
  "workspace.prepared": (state, event) => ({
    ...state,
    workspace: { commit: event.commit, branch: event.branch, files: event.files },
  }),
  "workspace.checkpointed": (state, event) => ({
    ...state,
    changes: event.changes ?? state.changes,
    snapshots: keptSnapshots(state.snapshots, event),
  }),
  "workspace.lost": (state) => ({ ...state, snapshots: { ...state.snapshots, lost: true } }),
  "workspace.restored": (state, { checkpointId, root, changes }) => ({
    ...state,
    changes,
    snapshots: { ...state.snapshots, latest: { checkpointId, root }, lost: false },
  }),
  "setup.started": (state, { callId, bootId }) => ({
    ...state,
    setup: {
      running: { callId, bootId, at: state.updatedAt },
      attempts: (state.setup?.attempts ?? 0) + 1,
      done: false,
    },
  }),
  "setup.ended": (state, { outcome }) => ({
    ...state,
    setup: { running: null, attempts: state.setup?.attempts ?? 0, done: outcome !== "cancelled" },
  }),
  "instructions.loaded": (state, event) => ({ ...state, instructions: [...state.instructions, event.path] }),
  "sandbox.started": (state, event) => ({
    ...state,
    liveSandbox: { sandboxId: event.sandboxId, bootId: event.bootId, backend: event.backend },
    spare: false,
  }),
  "sandbox.stopped": (state) => ({ ...state, liveSandbox: null }),
  "sandbox.lost": (state) => ({ ...state, liveSandbox: null }),
  "result.delivered": (state) => state,
};

function keptSnapshots(snapshots: SnapshotState, event: EventOf<"workspace.checkpointed">): SnapshotState {
  const { checkpointId, snapshot } = event;
  if (snapshot === undefined) return snapshots;
  const latest = { checkpointId, root: snapshot.root };
  return { ...snapshots, latest, start: snapshot.reason === "start" ? latest : snapshots.start };
}

function created(event: EventOf<"conversation.created">, seq: number, at: number): ConversationState {
  if (seq !== 0) throw new AppError("internal", "conversation.created is not the first event.", { seq });
  return {
    id: event.conversationId,
    ownerId: event.ownerId,
    teamId: event.teamId,
    title: event.title,
    archived: false,
    source: event.source,
    sandbox: event.sandbox,
    model: event.model,
    limits: event.limits,
    runLimits: event.runLimits,
    head: 0,
    createdAt: at,
    updatedAt: at,
    workspace: null,
    liveSandbox: null,
    spare: event.spare ?? false,
    setupChoice: event.setup ?? { type: "repository" },
    setup: null,
    instructions: [],
    run: null,
    lastRun: null,
    calls: [],
    unread: 0,
    lastMessageId: null,
    totals: NO_TOTALS,
    asks: [],
    network: NO_NETWORK_USE,
    tasks: [],
    changes: [],
    snapshots: {
      lineage: event.fork?.lineage ?? event.conversationId,
      fork: event.fork,
      start: event.fork?.start ?? null,
      latest: event.fork?.from ?? null,
      lost: false,
    },
    contextTokens: 0,
  };
}

const NO_TOTALS: Totals = {
  runs: 0,
  steps: 0,
  costUsd: 0,
  unpricedSteps: 0,
  timeMs: 0,
  usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 },
};
