import type { ListQuery } from "@handrail/core/ports/log-store";
import type { ConversationSummary } from "@handrail/protocol/summary";
import { sql, type Kysely, type SelectQueryBuilder } from "kysely";
import { searchPatterns } from "./search-text.ts";
import { parseRow } from "./stored-json.ts";
import type { Tables } from "./tables.ts";

/** Summaries by latest update, then by id, paged by the last row's place and not by an offset. */
export async function listConversations(db: Kysely<Tables>, query: ListQuery): Promise<readonly ConversationSummary[]> {
  if (query.states?.length === 0) return [];
  const rows = await searched(filtered(db.selectFrom("conversations").select("summary"), query), query)
    .orderBy("updated_at", "desc")
    .orderBy("id")
    .limit(query.limit)
    .execute();
  return rows.map((row) => parseRow<ConversationSummary>(row.summary));
}

type Query = SelectQueryBuilder<Tables, "conversations", { summary: string }>;

function filtered(query: Query, { ownerId, archived, states, after }: ListQuery): Query {
  let next = query;
  if (ownerId !== undefined) next = next.where("owner_id", "=", ownerId);
  if (archived !== undefined) next = next.where("archived", "=", archived ? 1 : 0);
  if (states !== undefined) next = next.where("state", "in", states);
  if (after === undefined) return next;
  return next.where((where) =>
    where.or([
      where("updated_at", "<", after.updatedAt),
      where.and([where("updated_at", "=", after.updatedAt), where("id", ">", after.id)]),
    ]),
  );
}

function searched(query: Query, { search = "" }: ListQuery): Query {
  return searchPatterns(search).reduce(
    (next, pattern) => next.where(sql<boolean>`search_text like ${pattern} escape ${sql.lit("\\")}`),
    query,
  );
}
