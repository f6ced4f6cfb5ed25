import { sql, type Kysely } from "kysely";
import type { LedgerEntry } from "../ports/ledger.ts";
import { addDaily, dailyDifference, wholeNumbers } from "./postgres-rows.ts";
import { correct, type ScopeCounter } from "./scope-counter.ts";
import { ledgerRow, type SettledCall } from "./settled-call.ts";
import type { Tables } from "./tables.ts";

/**
 * Settlements of calls that others took for lost while this replica was out of contact. Each takes the lost one's place, once:
 * whoever changes a call that is not lost any more finds nothing. The scopes of all of them are locked.
 */
export async function correctLost(
  trx: Kysely<Tables>,
  late: readonly SettledCall[],
  touched: (scopes: readonly string[]) => readonly ScopeCounter[],
): Promise<void> {
  const told = new Map(late.filter(isTold).map((each) => [each.call.callId, each]));
  if (told.size === 0) return;
  const query = trx.selectFrom("ledger").select(["call_id", "nano", "tokens", "entry"]).where("outcome", "=", "lost");
  const lost = await query.where(sql<boolean>`call_id = any(${[...told.keys()]}::text[])`).execute();
  for (const row of lost) {
    const is = told.get(row.call_id);
    if (is === undefined) continue;
    const was = lostAs(is, row);
    const more = { nano: is.used.nano - was.used.nano, tokens: is.used.tokens - was.used.tokens };
    await replaceEntry(trx, marked(is, was));
    await addDaily(trx, dailyDifference(was, is));
    for (const counter of touched(is.call.scopes)) correct(counter, is.call.at, more);
  }
}

const isTold = ({ settlement }: SettledCall): boolean => settlement.outcome !== "lost";

type LostRow = Pick<Tables["ledger"], "nano" | "tokens" | "entry">;

function lostAs({ call }: SettledCall, { nano, tokens, entry }: LostRow): SettledCall {
  return { call, settlement: JSON.parse(entry) as LedgerEntry, used: { nano, tokens } };
}

/** The entry says what it was before. */
function marked(is: SettledCall, { settlement: { costUsd, at } }: SettledCall): SettledCall {
  return { ...is, settlement: { ...is.settlement, lost: { costUsd, at } } };
}

async function replaceEntry(trx: Kysely<Tables>, call: SettledCall): Promise<void> {
  const { outcome, tokens, nano, entry } = wholeNumbers(ledgerRow(call));
  const change = trx.updateTable("ledger").set({ outcome, tokens, nano, entry });
  await change.where("call_id", "=", call.call.callId).execute();
}
