import type { LedgerStart } from "./ledger.ts";
import type { Deployment } from "./deployment.ts";
import type { CallEnd } from "./observer.ts";

/** What carries a trace from one program to the next: W3C's headers, as they came. */
export type TraceContext = { readonly [Name in "traceparent" | "tracestate"]?: string };

/** What is known of a call when it begins. */
export type TracedCall = Pick<LedgerStart, "model" | "format" | "streamed" | "conversationId"> & {
  readonly callId: string;
  /** Unix milliseconds. */
  readonly at: number;
  readonly route: string;
  readonly keyId: string;
  /** The client's, which the call is a part of. */
  readonly parent: TraceContext;
};

/** Follows one try at a deployment until its answer is over. */
export type TryTrace = {
  /** What the provider is told, so that it can go on with the trace. */
  readonly context: TraceContext;
  ended(how: { readonly status: number; readonly errorCode?: string; readonly model?: string | undefined }): void;
};

/** Follows one call. What comes after its end is not looked at. */
export type CallTrace = {
  tries(deployment: Deployment): TryTrace;
  ended(end: CallEnd): void;
  /** It was not let through. */
  refused(status: number, code: string): void;
};

/** Tells where calls spend their time. It never sees what was said. Its functions do not throw, and do not wait. */
export type Tracer = { call(begun: TracedCall): CallTrace };
