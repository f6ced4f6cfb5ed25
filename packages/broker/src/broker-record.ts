import type { RefusalCode } from "./refusal.ts";

/**
 * One request, once it is over. `host` is what was asked for, normalised where it could be; `port` 0 where it could not.
 * `path` has no query, and is there only where it was seen. `at` is when the request came (Unix milliseconds). Bytes are
 * those on the connection to the host. `rule` is what let it through; `reason` why it was refused, or why it failed. Texts
 * may be as long as a request's head.
 */
export type BrokerRecord = {
  readonly conversationId: string;
  readonly at: number;
  readonly method: string;
  readonly host: string;
  readonly port: number;
  readonly path?: string | undefined;
  readonly allowed: boolean;
  readonly rule?: string | undefined;
  readonly reason?: RefusalCode | undefined;
  /** Names of the secrets that were put in. */
  readonly secrets?: readonly string[];
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly durationMs: number;
};

/** What is known of a request before it goes out. */
export type BegunRequest = Pick<
  BrokerRecord,
  "conversationId" | "at" | "method" | "host" | "port" | "path" | "secrets"
> & { readonly rule: string };

/** Bytes so far on the connection to the host. */
export type ByteCount = () => Pick<BrokerRecord, "bytesUp" | "bytesDown">;

/** A request that was written down before it went out. One of both is called, once it is over. */
export type Begun<Ended = BrokerRecord> = {
  readonly end: (record: Ended) => void;
  /** It was a connection whose requests are written down each by itself. */
  readonly drop: () => void;
};
