/** Which SQL is spoken. */
export type SqlFlavour = "sqlite" | "postgres";

/** `null`: it may be empty. */
export type Column = readonly [
  name: string,
  type: "text" | "integer" | "bigint" | "double precision",
  nullable?: "null",
];
/** `only`: of one database alone. */
export type Table = {
  readonly columns: readonly Column[];
  readonly key: readonly string[];
  /** Of short rows that are found by their key alone. */
  readonly narrow?: true;
  readonly only?: SqlFlavour;
};

/** The tables of the first version. */
export const FIRST_TABLES: Readonly<Record<string, Table>> = {
  keys: {
    columns: [
      ["id", "text"],
      ["name", "text"],
      ["owner_kind", "text"],
      ["owner_id", "text"],
      ["team_id", "text", "null"],
      ["conversation_id", "text", "null"],
      ["models", "text", "null"],
      ["limits", "text"],
      ["created_at", "bigint"],
      ["expires_at", "bigint", "null"],
      ["revoked_at", "bigint", "null"],
      ["admin", "integer"],
      ["cache", "text", "null"],
      ["metadata", "text", "null"],
    ],
    key: ["id"],
  },
  key_hashes: {
    columns: [
      ["hash", "text"],
      ["key_id", "text"],
      ["hint", "text"],
      ["created_at", "bigint"],
      ["until", "bigint", "null"],
    ],
    key: ["hash"],
  },
  owners: {
    columns: [
      ["kind", "text"],
      ["id", "text"],
      ["name", "text"],
      ["limits", "text"],
      ["models", "text", "null"],
    ],
    key: ["kind", "id"],
  },
  reservations: {
    columns: [
      ["call_id", "text"],
      ["process_id", "text"],
      ["at", "bigint"],
      ["nano", "bigint"],
      ["tokens", "bigint"],
      ["scopes", "text"],
      ["entry", "text"],
    ],
    key: ["call_id"],
    only: "postgres",
  },
  ledger: {
    columns: [
      ["call_id", "text"],
      ["started_at", "bigint"],
      ["key_id", "text"],
      ["owner_kind", "text"],
      ["owner_id", "text"],
      ["team_id", "text"],
      ["conversation_id", "text"],
      ["model", "text"],
      ["outcome", "text"],
      ["tokens", "bigint"],
      ["nano", "bigint"],
      ["scopes", "text"],
      ["entry", "text"],
    ],
    key: ["call_id"],
  },
  daily_spend: {
    columns: [
      ["day", "text"],
      ["key_id", "text"],
      ["owner_kind", "text"],
      ["owner_id", "text"],
      ["team_id", "text"],
      ["conversation_id", "text"],
      ["model", "text"],
      ["calls", "bigint"],
      ["failed", "bigint"],
      ["cached", "bigint"],
      ["prompt_tokens", "bigint"],
      ["answer_tokens", "bigint"],
      ["cache_read_tokens", "bigint"],
      ["cost_usd", "double precision"],
      ["saved_usd", "double precision"],
      ["unpriced", "bigint"],
    ],
    key: ["day", "key_id", "owner_kind", "owner_id", "team_id", "conversation_id", "model"],
    narrow: true,
  },
  scope_spend: {
    columns: [
      ["scope", "text"],
      ["day", "bigint"],
      ["day_nano", "bigint"],
      ["week", "bigint"],
      ["week_nano", "bigint"],
      ["month", "bigint"],
      ["month_nano", "bigint"],
      ["total_nano", "bigint"],
    ],
    key: ["scope"],
    narrow: true,
    only: "sqlite",
  },
  scope_counters: {
    columns: [
      ["scope", "text"],
      ["counter", "text"],
    ],
    key: ["scope"],
    only: "postgres",
  },
  replicas: {
    columns: [
      ["id", "text"],
      ["seen_at", "bigint"],
    ],
    key: ["id"],
    only: "postgres",
  },
};

/** Its indexes. */
export const FIRST_INDEXES: readonly (readonly [table: string, name: string, columns: readonly string[]])[] = [
  ["key_hashes", "key_hashes_by_key", ["key_id"]],
  ["ledger", "ledger_by_start", ["started_at", "call_id"]],
  ["ledger", "ledger_by_key", ["key_id", "started_at", "call_id"]],
  ["daily_spend", "daily_spend_by_key", ["key_id"]],
];
