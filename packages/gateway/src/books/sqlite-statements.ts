import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { Tables } from "./tables.ts";
import { dailyRows, ledgerRow, spendRows, type SettledCall } from "./settled-call.ts";

/** Larger sums are not read exactly; they are given as this. */
const MOST = Number.MAX_SAFE_INTEGER;

/** The few statements of a call's way, prepared and synchronous: a query builder costs more than they do. */
export type SqliteStatements = {
  /** In one transaction; a call that the ledger has changes nothing. */
  write(calls: readonly SettledCall[]): void;
  /** A key as one of its hashes opens it. */
  key(hash: string): (Tables["keys"] & Pick<Tables["key_hashes"], "hash" | "hint" | "until">) | undefined;
  owner(kind: string, id: string): Tables["owners"] | undefined;
  spendOf(scope: string): Omit<Tables["scope_spend"], "scope"> | undefined;
  /** Calls that began after that and are settled, the oldest first. */
  recent(after: number, limit: number): readonly { at: number; tokens: number; scopes: readonly string[] }[];
};

type Row = Readonly<Record<string, SQLInputValue>>;

export function sqliteStatements(database: DatabaseSync): SqliteStatements {
  const insertLedger = inserter(database, "ledger", LEDGER, "on conflict do nothing");
  const addDaily = inserter(database, "daily_spend", DAILY, ADD_DAILY);
  const addSpend = inserter(database, "scope_spend", SPEND, ADD_SPEND);
  const readSpend = database.prepare(
    `select day, day_nano, week, week_nano, month, month_nano, min(total_nano, ${MOST}) as total_nano from scope_spend where scope = ?`,
  );
  const readRecent = database.prepare(
    "select started_at as at, tokens, scopes from ledger where started_at > ? order by started_at limit ?",
  );
  const readKey = database.prepare(
    "select keys.*, hash, hint, until from key_hashes join keys on keys.id = key_hashes.key_id where hash = ?",
  );
  const readOwner = database.prepare("select * from owners where kind = ? and id = ?");
  const [begin, commit] = [database.prepare("begin immediate"), database.prepare("commit")];

  return {
    write(calls) {
      begin.run();
      try {
        const fresh = calls.filter((call) => insertLedger(ledgerRow(call)) > 0);
        for (const row of dailyRows(fresh)) addDaily(row);
        for (const row of spendRows(fresh)) addSpend(row);
        commit.run();
      } catch (thrown) {
        if (database.isTransaction) database.exec("rollback");
        throw thrown;
      }
    },
    key: (hash) => readKey.get(hash) as ReturnType<SqliteStatements["key"]>,
    owner: (kind, id) => readOwner.get(kind, id) as Tables["owners"] | undefined,
    spendOf: (scope) => readSpend.get(scope) as Tables["scope_spend"] | undefined,
    recent: (after, limit) =>
      (readRecent.all(after, limit) as { at: number; tokens: number; scopes: string }[]).map((row) => ({
        ...row,
        scopes: JSON.parse(row.scopes) as string[],
      })),
  };
}

/** Inserts rows of these columns; gives how many it changed. */
function inserter(database: DatabaseSync, table: string, columns: readonly string[], conflict: string) {
  const marks = columns.map(() => "?").join(", ");
  const statement = database.prepare(`insert into ${table} (${columns.join(", ")}) values (${marks}) ${conflict}`);
  return (row: Row): number => Number(statement.run(...columns.map((column) => row[column] ?? null)).changes);
}

const GROUPS = ["key_id", "owner_kind", "owner_id", "team_id", "conversation_id", "model"];
const LEDGER = ["call_id", "started_at", ...GROUPS, "outcome", "tokens", "nano", "scopes", "entry"];
const SUMS = [
  "calls",
  "failed",
  "cached",
  "prompt_tokens",
  "answer_tokens",
  "cache_read_tokens",
  "cost_usd",
  "saved_usd",
  "unpriced",
];
const DAILY = ["day", ...GROUPS, ...SUMS];
const PERIODS = ["day", "week", "month"];
const SPEND = ["scope", ...PERIODS.flatMap((period) => [period, `${period}_nano`]), "total_nano"];

const ADD_DAILY = `on conflict do update set ${SUMS.map((sum) => `${sum} = ${sum} + excluded.${sum}`).join(", ")}`;

/** A newer period begins at zero; what comes late for an older one counts only in the total. */
const ADD_SPEND = `on conflict do update set ${PERIODS.map(
  (period) => `${period}_nano = case when excluded.${period} > ${period} then excluded.${period}_nano
    when excluded.${period} = ${period} then ${period}_nano + excluded.${period}_nano else ${period}_nano end,
    ${period} = max(${period}, excluded.${period})`,
).join(", ")}, total_nano = total_nano + excluded.total_nano`;
