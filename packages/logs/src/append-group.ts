import type { Append } from "@handrail/core/ports/log-store";
import { AppError } from "@handrail/protocol/errors";
import type { StoredEvent } from "@handrail/protocol/events";
import type { ConversationSummary } from "@handrail/protocol/summary";
import type { Kysely, Transaction } from "kysely";
import type { Settled } from "./group-commit.ts";
import { searchText } from "./search-text.ts";
import type { Tables } from "./tables.ts";

type Outcome = Settled<readonly StoredEvent[]>;
type EventRow = Tables["events"];

/** Rows to a statement: databases cap the number of bound values. */
const ROWS = 500;

/**
 * Writes the appends in one transaction. Each is checked against the log as the ones before it left it, and succeeds
 * or conflicts on its own. `rowLocks`: whether the database lets several write at once, so that heads must be locked.
 */
export async function appendGroup(
  db: Kysely<Tables>,
  appends: readonly Append[],
  rowLocks: boolean,
): Promise<readonly Outcome[]> {
  return db.transaction().execute(async (transaction) => {
    const heads = await readHeads(transaction, appends, rowLocks);
    const rows: EventRow[] = [];
    const summaries = new Map<string, Tables["conversations"]>();
    const outcomes = appends.map((append): Outcome => {
      const next = (heads.get(append.conversationId) ?? -1) + 1;
      const error = refusal(append, next);
      if (error !== undefined) return { error };
      const head = append.expectedSeq + append.events.length - 1;
      const stored = append.events.map((event, index) => ({ seq: next + index, at: append.at, event }));
      rows.push(...stored.map((each) => eventRow(append.conversationId, each)));
      summaries.set(append.conversationId, conversationRow(append.summary, append.conversationId, head));
      heads.set(append.conversationId, head);
      return { value: stored };
    });
    for (let from = 0; from < rows.length; from += ROWS) {
      await transaction
        .insertInto("events")
        .values(rows.slice(from, from + ROWS))
        .execute();
    }
    if (summaries.size > 0) await upsertSummaries(transaction, [...summaries.values()]);
    return outcomes;
  });
}

async function readHeads(
  transaction: Transaction<Tables>,
  appends: readonly Append[],
  rowLocks: boolean,
): Promise<Map<string, number>> {
  const ids = [...new Set(appends.map((append) => append.conversationId))].sort();
  const query = transaction.selectFrom("conversations").select(["id", "head"]).where("id", "in", ids).orderBy("id");
  const rows = await (rowLocks ? query.forUpdate() : query).execute();
  return new Map(rows.map((row) => [row.id, row.head]));
}

function refusal({ conversationId, expectedSeq, events }: Append, next: number): AppError | undefined {
  if (events.length === 0) return new AppError("internal", "An append needs at least one event.", { conversationId });
  if (expectedSeq === next) return undefined;
  if (next === 0) return new AppError("conversation_not_found", "There is no such conversation.");
  return new AppError("log_conflict", "Someone else wrote to the conversation first. Read on and try again.", {
    conversationId,
    expectedSeq,
    nextSeq: next,
  });
}

function eventRow(conversationId: string, stored: StoredEvent): EventRow {
  return { conversation_id: conversationId, seq: stored.seq, at: stored.at, event: JSON.stringify(stored.event) };
}

function conversationRow(summary: ConversationSummary, id: string, head: number): Tables["conversations"] {
  return {
    id,
    owner_id: summary.ownerId,
    state: summary.state,
    archived: summary.archived ? 1 : 0,
    updated_at: summary.updatedAt,
    head,
    search_text: searchText(summary),
    summary: JSON.stringify(summary),
  };
}

async function upsertSummaries(
  transaction: Transaction<Tables>,
  rows: readonly Tables["conversations"][],
): Promise<void> {
  await transaction
    .insertInto("conversations")
    .values(rows)
    .onConflict((conflict) =>
      conflict.column("id").doUpdateSet((expression) => ({
        owner_id: expression.ref("excluded.owner_id"),
        state: expression.ref("excluded.state"),
        archived: expression.ref("excluded.archived"),
        updated_at: expression.ref("excluded.updated_at"),
        head: expression.ref("excluded.head"),
        search_text: expression.ref("excluded.search_text"),
        summary: expression.ref("excluded.summary"),
      })),
    )
    .execute();
}
