/**
 * The rows of the store, the same in every SQL database: times are Unix milliseconds, JSON is text, booleans are 0 or 1.
 * `search_text` is in lower case. `summary` is the whole summary; the other columns are there to filter and order by.
 */
export type Tables = {
  readonly events: {
    readonly conversation_id: string;
    readonly seq: number;
    readonly at: number;
    readonly event: string;
  };
  readonly conversations: {
    readonly id: string;
    readonly owner_id: string;
    readonly state: string;
    readonly archived: number;
    readonly updated_at: number;
    readonly head: number;
    readonly search_text: string;
    readonly summary: string;
  };
  readonly blobs: {
    readonly ref: string;
    readonly bytes: Uint8Array;
    readonly created_at: number;
  };
};
