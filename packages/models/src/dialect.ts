import type { ModelEnd, ModelOutput, ModelRequest } from "@handrail/core/ports/model";
import type { Usage } from "@handrail/protocol/limits";

/** What a decoder knows at the end; prices are the driver's part. */
export type DecodedEnd = Omit<ModelEnd, "costUsd" | "usage"> & {
  /** Undefined when the API reported none. */
  readonly usage: Usage | undefined;
  /** US dollars, where the API itself says what the call cost. */
  readonly reportedCostUsd?: number | undefined;
};

export type Decoded = Exclude<ModelOutput, ModelEnd> | DecodedEnd;

/** Decodes one answer; holds what it has gathered so far. */
export type Decoder = {
  /**
   * The outputs of one event's data. After an `end` nothing more is asked.
   * @throws StreamError when the API reports an error
   */
  take(data: unknown): readonly Decoded[];
  /** What the answer is when the stream stops without saying so; undefined when it was cut off. */
  atEof(): DecodedEnd | undefined;
};

/** An error that came as an event of the stream. `message` is the event's JSON. */
export class StreamError extends Error {
  override readonly name = "StreamError";
}

export type HttpCall = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** What differs between two model APIs. All the rest (transport, events, errors, abort, prices) is `httpModel`. */
export type Dialect = {
  toHttp(request: ModelRequest): HttpCall;
  decoder(): Decoder;
  /** Takes back what the API has just refused. True when the request is worth sending again in its new form. */
  adapt(problem: string): boolean;
};
