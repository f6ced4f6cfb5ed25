import type { ConversationEvent, StoredEvent } from "@handrail/protocol/events";
import type { ConversationSummary } from "@handrail/protocol/summary";

export type Append = {
  readonly conversationId: string;
  /** The `seq` that the first of `events` will get. 0 creates the conversation. */
  readonly expectedSeq: number;
  /** At least one. */
  readonly events: readonly ConversationEvent[];
  /** What lists show once the events are in; stored in the same transaction. */
  readonly summary: ConversationSummary;
  /** Unix time in milliseconds for all of them. */
  readonly at: number;
};

export type ListQuery = {
  readonly ownerId?: string;
  readonly archived?: boolean;
  /** Words that must all be in the title or the source, in any case. */
  readonly search?: string;
  readonly states?: readonly ConversationSummary["state"][];
  /** Give those that come after this one in the list's order (latest update first). */
  readonly after?: { readonly updatedAt: number; readonly id: string };
  readonly limit: number;
};

/**
 * The logs of all conversations, their summaries, and the blobs they refer to. Several processes may use one store.
 *
 * Durable: when `append` resolves, the events survive a kill of any process at any time.
 */
export type LogStore = {
  /**
   * Appends all of the events or none.
   * @throws AppError `log_conflict` when `expectedSeq` is not the log's next `seq`; `conversation_not_found` when it is above
   * 0 and there is no such log (any more); `storage_full`, `storage_failed`: nothing was written
   */
  append(append: Append): Promise<readonly StoredEvent[]>;
  /** Events with `seq` above `after` (-1: from the first), in order, at most `limit`; empty for an unknown id. */
  read(conversationId: string, after: number, limit: number): Promise<readonly StoredEvent[]>;
  /** @throws AppError `conversation_not_found` */
  summary(conversationId: string): Promise<ConversationSummary>;
  /** Summaries by `updatedAt`, latest first, then by id. */
  list(query: ListQuery): Promise<readonly ConversationSummary[]>;
  /** Forgets log and summary for good. Unknown ids are no error. */
  remove(conversationId: string): Promise<void>;
  /**
   * Calls back after every append of any process, with the log's last `seq`: a wake-up, not the data. May repeat and
   * may skip values of `seq`, never the last one. Returns the way to stop.
   */
  onAppend(listener: (conversationId: string, seq: number) => void): () => void;
  /** Keeps bytes for good under their `sha256:` name and gives the name. The same bytes twice are kept once. */
  putBlob(bytes: Uint8Array): Promise<string>;
  /** @throws AppError `not_found` */
  getBlob(ref: string): Promise<Uint8Array>;
  close(): Promise<void>;
};
