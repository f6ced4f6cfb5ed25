import type { Deployment } from "./deployment.ts";
import type { Format } from "./format.ts";
import type { TokenUsage } from "./token-usage.ts";
import type { TraceContext } from "./tracer.ts";

/** What a lane is asked to do: one try of one call at one deployment. */
export type LaneCall = {
  readonly callId: string;
  readonly deployment: Deployment;
  /** The provider's name for the model, wildcards filled in. */
  readonly model: string;
  /** The client's format, in which the answer is given. */
  readonly format: Format;
  readonly streamed: boolean;
  /** The request as it came, and parsed. Lanes do not change `parsed`. */
  readonly body: Buffer;
  readonly parsed: Readonly<Record<string, unknown>>;
  /** The client's headers that change what the model does, such as `anthropic-beta`. Lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** For the provider, so that it can go on with the trace. */
  readonly trace?: TraceContext;
  /** Called once the request is on its way: from then on the provider may do the work. */
  readonly sent?: () => void;
};

/** What the provider said of a call's use, as far as the answer was read. */
export type Meter = {
  /** Undefined when it reported none. */
  usage(): TokenUsage | undefined;
  /** US dollars, where the provider (a LiteLLM, OpenRouter) says what the call cost. */
  reportedCostUsd(): number | undefined;
  /** Which of its services the provider gave the call, such as `flex`; undefined where it does not say. */
  tier?(): string | undefined;
  /** Characters of the answer's text, reasoning and arguments so far: what an estimate is made from. */
  characters(): number;
  /** The provider's id of the call. */
  upstreamId(): string | undefined;
  /** What the provider calls the model that answered. */
  model(): string | undefined;
  /** True once the answer was whole. */
  complete(): boolean;
};

/** An answer that has begun. Its `status` is the provider's; a body of an error is in the client's format too. */
export type LaneAnswer = {
  readonly status: number;
  /** For the client, lower case; no hop-by-hop ones. */
  readonly headers: Readonly<Record<string, string>>;
  /** In the client's format; a buffer is all of it. Ends early, by throwing, when the provider breaks off. */
  readonly body: Buffer | AsyncIterable<Uint8Array>;
  readonly meter: Meter;
  /** Which way the call went, and what that cost in fidelity. */
  readonly lane: "pass-through" | "translated" | "sdk";
  readonly warnings: readonly string[];
};

/**
 * One way to a provider.
 *
 * @throws AppError `request_unsupported` naming a field that the lane cannot carry; `model_unreachable`, `model_timeout`;
 * the signal's reason when aborted. A provider's own refusal is no throw: it is an answer with its status.
 */
export type Lane = (call: LaneCall, signal: AbortSignal) => Promise<LaneAnswer>;
