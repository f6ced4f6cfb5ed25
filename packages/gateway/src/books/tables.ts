/**
 * The rows of the books, the same in every SQL database: times are Unix milliseconds, JSON is text, booleans are 0 or 1,
 * `nano` are billionths of a US dollar. What is absent in a primary key is an empty text.
 */
export type Tables = {
  readonly keys: {
    readonly id: string;
    readonly name: string;
    readonly owner_kind: string;
    readonly owner_id: string;
    readonly team_id: string | null;
    readonly conversation_id: string | null;
    /** JSON, as are `limits` and `metadata`. */
    readonly models: string | null;
    readonly limits: string;
    readonly created_at: number;
    readonly expires_at: number | null;
    readonly revoked_at: number | null;
    readonly admin: number;
    readonly cache: string | null;
    readonly metadata: string | null;
  };
  /** What opens a key: its newest hash, and older ones until their time. */
  readonly key_hashes: {
    readonly hash: string;
    readonly key_id: string;
    readonly hint: string;
    readonly created_at: number;
    readonly until: number | null;
  };
  readonly owners: {
    readonly kind: string;
    readonly id: string;
    readonly name: string;
    readonly limits: string;
    readonly models: string | null;
  };
  /** PostgreSQL only: in SQLite they are in a file beside it. */
  readonly reservations: {
    readonly call_id: string;
    readonly process_id: string;
    readonly at: number;
    readonly nano: number;
    readonly tokens: number;
    /** JSON: ids of the scopes that it counts against. */
    readonly scopes: string;
    /** JSON of a `LedgerStart`. */
    readonly entry: string;
  };
  readonly ledger: {
    readonly call_id: string;
    readonly started_at: number;
    readonly key_id: string;
    readonly owner_kind: string;
    readonly owner_id: string;
    /** Of the key, or its owner where that is a team. */
    readonly team_id: string;
    readonly conversation_id: string;
    readonly model: string;
    readonly outcome: string;
    readonly tokens: number;
    readonly nano: number;
    readonly scopes: string;
    /** JSON of a `LedgerEntry`. */
    readonly entry: string;
  };
  /** Sums of the ledger, which outlive its entries. */
  readonly daily_spend: {
    /** `2026-11-25`, in UTC, of the calls' beginning. */
    readonly day: string;
    readonly key_id: string;
    readonly owner_kind: string;
    readonly owner_id: string;
    readonly team_id: string;
    readonly conversation_id: string;
    readonly model: string;
    readonly calls: number;
    readonly failed: number;
    readonly cached: number;
    readonly prompt_tokens: number;
    readonly answer_tokens: number;
    readonly cache_read_tokens: number;
    readonly cost_usd: number;
    readonly saved_usd: number;
    readonly unpriced: number;
  };
  /** PostgreSQL only: JSON of all that is counted of a scope. Whoever counts has locked the row. */
  readonly scope_counters: { readonly scope: string; readonly counter: string };
  /** PostgreSQL only: the processes that count, and when each was last heard of, by the database's clock. */
  readonly replicas: { readonly id: string; readonly seen_at: number };
  /** SQLite only: what a scope spent in its newest day, week and month, named by their beginnings, and in all. Settled calls only. */
  readonly scope_spend: {
    readonly scope: string;
    readonly day: number;
    readonly day_nano: number;
    readonly week: number;
    readonly week_nano: number;
    readonly month: number;
    readonly month_nano: number;
    readonly total_nano: number;
  };
};
