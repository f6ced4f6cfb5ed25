import type { ServerResponse } from "node:http";
import type { Caller } from "../auth/authenticate.ts";
import type { KeyRecord } from "../ports/keys.ts";
import type { LedgerStart, Unanswered } from "../ports/ledger.ts";
import type { Deployment, Group } from "../ports/deployment.ts";
import type { LaneAnswer } from "../ports/lane.ts";
import type { CallTrace, TraceContext, TryTrace } from "../ports/tracer.ts";
import type { Asked } from "../request/asked.ts";
import type { Estimate } from "./estimate.ts";
import type { Recorder } from "./recorder.ts";

/** A call from the moment that it is understood. */
export type Call = {
  readonly id: string;
  /** Unix milliseconds. */
  readonly at: number;
  /** By the process' own clock, for lengths of time. */
  readonly began: number;
  readonly caller: Caller;
  readonly asked: Asked;
  readonly group: Group;
  readonly route: string;
  readonly response: ServerResponse;
  /** Aborts when the client leaves or the call's time is over. */
  readonly signal: AbortSignal;
  readonly estimate: Estimate;
  readonly progress: Progress;
  /** The client's, which providers are told where nothing is traced here. */
  readonly parent: TraceContext;
  readonly trace: CallTrace | undefined;
};

/** What has happened to a call so far; what is settled in the end. */
export type Progress = {
  outcome: "ok" | "failed" | "aborted" | "broken" | "cached";
  status: number;
  errorCode: string | undefined;
  /** The last that was asked. */
  deployment: Deployment | undefined;
  groupName: string;
  answer: LaneAnswer | undefined;
  /** Whether a request is with a provider whose answer is not known. */
  pending: boolean;
  /** Of earlier tries that may be billed although no answer came; undefined when there was none. */
  unanswered: Unanswered | undefined;
  /** What of them was reserved beside the call, in billionths of a dollar. */
  toppedUpNano: number;
  retries: number;
  fallbacks: number;
  /** Since the call began, in milliseconds. */
  firstByteMs: number | undefined;
  /** How long providers were waited for until the first byte. */
  waitedMs: number;
  /** Whether the cache was asked for the answer. */
  cacheAsked: boolean;
  /** What went to the client, where it is kept. */
  record: Recorder | undefined;
  /** The try that is not over, where it is traced. */
  trying: TryTrace | undefined;
};

export function newProgress(groupName: string): Progress {
  return {
    outcome: "failed",
    status: 0,
    errorCode: undefined,
    deployment: undefined,
    groupName,
    answer: undefined,
    pending: false,
    unanswered: undefined,
    toppedUpNano: 0,
    retries: 0,
    fallbacks: 0,
    firstByteMs: undefined,
    waitedMs: 0,
    cacheAsked: false,
    record: undefined,
    trying: undefined,
  };
}

/** What the ledger says of a call when it begins. */
export function ledgerStart(key: KeyRecord, asked: Asked): LedgerStart {
  return {
    keyId: key.id,
    ownerKind: key.owner.kind,
    ownerId: key.owner.id,
    model: asked.model,
    format: asked.format,
    streamed: asked.streamed,
    ...(key.teamId !== undefined && { teamId: key.teamId }),
    ...(key.conversationId !== undefined && { conversationId: key.conversationId }),
    ...(asked.endUser !== undefined && { endUser: asked.endUser }),
    ...(asked.tags.length > 0 && { tags: asked.tags }),
  };
}
