import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { Tables } from "./tables.ts";
import { dailyRow, fromReservationRow, ledgerRow, reservationRow, spendRow } from "./settled-call.ts";
import type { OpenCall, SettledCall } from "./settled-call.ts";

/** Larger sums are not read exactly; they are given as this. */
const MOST = Number.MAX_SAFE_INTEGER;

/** The few statements of a call's way, prepared and synchronous: a query builder costs more than they do. */
export type SqliteStatements = {
  /** Writes both in one transaction, or nothing. */
  write(processId: string, opened: readonly OpenCall[], settled: readonly SettledCall[]): void;
  spendOf(scope: string): Omit<Tables["scope_spend"], "scope"> | undefined;
  /** Reservations of other processes than this. */
  abandoned(processId: string, limit: number): OpenCall[];
  /** Calls that began after that and are settled, the oldest first. */
  recent(after: number, limit: number): readonly { at: number; tokens: number; scopes: readonly string[] }[];
};

type Row = Readonly<Record<string, SQLInputValue>>;

export function sqliteStatements(database: DatabaseSync): SqliteStatements {
  const insertReservation = inserter(database, "reservations", RESERVATION, "");
  const insertLedger = inserter(database, "ledger", LEDGER, "on conflict do nothing");
  const addDaily = inserter(database, "daily_spend", DAILY, ADD_DAILY);
  const addSpend = inserter(database, "scope_spend", SPEND, ADD_SPEND);
  const deleteReservation = database.prepare("delete from reservations where call_id = ?");
  const readSpend = database.prepare(
    `select day, day_nano, week, week_nano, month, month_nano, min(total_nano, ${MOST}) as total_nano from scope_spend where scope = ?`,
  );
  const readAbandoned = database.prepare("select * from reservations where process_id <> ? order by at limit ?");
  const readRecent = database.prepare(
    "select started_at as at, tokens, scopes from ledger where started_at > ? order by started_at limit ?",
  );
  const [begin, commit] = [database.prepare("begin immediate"), database.prepare("commit")];

  const writeSettled = (settled: SettledCall): void => {
    deleteReservation.run(settled.call.callId);
    if (insertLedger(ledgerRow(settled)) === 0) return;
    addDaily(dailyRow(settled));
    const row = spendRow(settled);
    if (settled.used.nano > 0) for (const scope of settled.call.scopes) addSpend({ scope, ...row });
  };
  return {
    write(processId, opened, settled) {
      begin.run();
      try {
        for (const call of opened) insertReservation(reservationRow(call, processId));
        for (const call of settled) writeSettled(call);
        commit.run();
      } catch (thrown) {
        if (database.isTransaction) database.exec("rollback");
        throw thrown;
      }
    },
    spendOf: (scope) => readSpend.get(scope) as Tables["scope_spend"] | undefined,
    abandoned: (processId, limit) =>
      (readAbandoned.all(processId, limit) as Tables["reservations"][]).map(fromReservationRow),
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

const RESERVATION = ["call_id", "process_id", "at", "nano", "tokens", "scopes", "entry"];
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
