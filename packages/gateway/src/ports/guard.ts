/** Takes secrets and other patterns out of requests before they leave. */
export type Redactor = {
  /**
   * The same bytes where nothing was found. Only the insides of JSON's texts change.
   * @throws AppError `redaction_failed` when that takes too long; the request must not leave then
   */
  redact(body: Buffer): { readonly body: Buffer; readonly count: number };
};

/** A request and its answer, as they went over the wire. */
export type Exchange = {
  readonly callId: string;
  /** Unix milliseconds. */
  readonly at: number;
  readonly keyId: string;
  readonly model: string;
  readonly status: number;
  readonly request: Uint8Array;
  readonly answer: Uint8Array;
};

/** Keeps bodies where that was asked for. Never throws; what does not fit is cut, and says so. */
export type BodyStore = {
  /** How many bytes of one body it wants to be given: some more than it keeps. */
  readonly maxBytes: number;
  keep(exchange: Exchange): void;
  close(): Promise<void>;
};
