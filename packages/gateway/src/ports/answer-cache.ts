/** A whole answer as it went to the client, in its format. */
export type CachedAnswer = {
  readonly status: number;
  readonly contentType: string;
  readonly body: Uint8Array;
  /** Of the call that made it, so that a hit can say what it saved. */
  readonly costUsd: number;
  readonly usage: string;
  /** Unix milliseconds. */
  readonly storedAt: number;
};

/**
 * Answers by key. Neither call throws or waits for long: a cache that is away is an empty one.
 */
export type AnswerCache = {
  /** Whether other replicas have the same answers. */
  readonly kind: "local" | "redis";
  get(key: string): Promise<CachedAnswer | undefined>;
  /** `ttlMs` from now. What is too large is not kept. */
  set(key: string, answer: CachedAnswer, ttlMs: number): Promise<void>;
  /** For metrics and `/health`: undefined when all is well. */
  trouble(): string | undefined;
  close(): Promise<void>;
};
