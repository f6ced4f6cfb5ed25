import type { Format } from "./format.ts";
import type { LaneCall } from "./lane.ts";

/** What is sent to a call's deployment, in a format that it speaks. */
export type Sent = {
  readonly call: LaneCall;
  readonly format: Format;
  readonly streamed: boolean;
  readonly body: string | Uint8Array;
  /** Below the format's own path; "" when undefined. */
  readonly subpath?: string;
};

/** What came back. `headers` are lower case. The body ends early, by throwing, when the provider breaks off. */
export type Received = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
};

/**
 * Sends to the provider, with its address, credentials and time limits.
 *
 * @throws AppError `model_unreachable`, `model_timeout`; the signal's reason when aborted
 */
export type Send = (sent: Sent, signal: AbortSignal) => Promise<Received>;
