import { sql, type Kysely } from "kysely";
import { dailyRows, ledgerRow, type SettledCall } from "./settled-call.ts";
import type { Tables } from "./tables.ts";

/** Adds calls to the ledger and to the daily sums; one that is in the ledger changes nothing. */
export async function writeLedger(trx: Kysely<Tables>, calls: readonly SettledCall[]): Promise<void> {
  if (calls.length === 0) return;
  const insertion = trx.insertInto("ledger").values(calls.map((call) => wholeNumbers(ledgerRow(call))));
  const fresh = await insertion
    .onConflict((it) => it.doNothing())
    .returning("call_id")
    .execute();
  const ids = new Set(fresh.map((row) => row.call_id));
  await addDaily(trx, dailyRows(calls.filter(({ call }) => ids.has(call.callId))));
}

const DAILY_KEY = ["day", "key_id", "owner_kind", "owner_id", "team_id", "conversation_id", "model"] as const;

/** Adds to the daily sums. Rows come in the order of their key. */
export async function addDaily(trx: Kysely<Tables>, rows: readonly Tables["daily_spend"][]): Promise<void> {
  const daily = rows.map(wholeNumbers);
  const [first] = daily;
  if (first === undefined) return;
  const added = sumColumns(first).map((sum) => [
    sum,
    sql`${sql.ref(`daily_spend.${sum}`)} + ${sql.ref(`excluded.${sum}`)}`,
  ]);
  const add = Object.fromEntries(added) as Record<string, never>;
  const upsert = trx.insertInto("daily_spend").values(daily);
  await upsert.onConflict((it) => it.columns([...DAILY_KEY]).doUpdateSet(add)).execute();
}

/** What has to be added for one call to count in another's place. Both are of the same day and group. */
export function dailyDifference(was: SettledCall, is: SettledCall): Tables["daily_spend"][] {
  const [before] = dailyRows([was]);
  return dailyRows([is]).map((row) => {
    const sums = sumColumns(row).map((sum) => [sum, Number(row[sum]) - Number(before?.[sum] ?? 0)]);
    return { ...row, ...(Object.fromEntries(sums) as Partial<typeof row>) };
  });
}

const sumColumns = (row: Tables["daily_spend"]) =>
  (Object.keys(row) as (keyof Tables["daily_spend"])[]).filter(
    (column) => !(DAILY_KEY as readonly string[]).includes(column),
  );

/** Money in dollars stays as it is; every other number is whole in PostgreSQL, and a row must always be writable. */
export function wholeNumbers<Row extends Readonly<Record<string, unknown>>>(row: Row): Row {
  const whole = (name: string, value: unknown): unknown =>
    typeof value !== "number" || name.endsWith("_usd") ? value : Math.min(Math.ceil(value), Number.MAX_SAFE_INTEGER);
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, whole(name, value)])) as Row;
}
