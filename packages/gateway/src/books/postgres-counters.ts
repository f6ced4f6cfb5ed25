import { sql, type Kysely } from "kysely";
import type { ScopeCount } from "../ports/ledger.ts";
import { counted, recounted, scopeCounter, type ScopeCounter } from "./scope-counter.ts";
import type { Tables } from "./tables.ts";

export type Counters = ReadonlyMap<string, ScopeCounter>;

/**
 * Makes the rows of scopes that have none. In a statement of its own: within a transaction that has others locked, two
 * could wait for each other.
 */
export async function makeCounters(db: Kysely<Tables>, scopes: readonly string[]): Promise<void> {
  if (scopes.length === 0) return;
  const rows = [...scopes].sort().map((scope) => ({ scope, counter: stored(scopeCounter(undefined)) }));
  const insertion = db.insertInto("scope_counters").values(rows);
  await insertion.onConflict((it) => it.doNothing()).execute();
}

/** Nobody else counts for these scopes until the transaction ends. Rows are locked in the same order by everybody. */
export async function lockCounters(trx: Kysely<Tables>, scopes: readonly string[]): Promise<Counters> {
  const query = trx.selectFrom("scope_counters").selectAll().where(anyOf(scopes));
  const rows = await query
    .orderBy(sql`scope collate "C"`)
    .forUpdate()
    .execute();
  return fromRows(rows);
}

/** As they stand, without waiting. Scopes that never counted are not there. */
export async function readCounters(db: Kysely<Tables>, scopes: readonly string[]): Promise<Counters> {
  return fromRows(await db.selectFrom("scope_counters").selectAll().where(anyOf(scopes)).execute());
}

const anyOf = (scopes: readonly string[]) => sql<boolean>`scope = any(${[...new Set(scopes)]}::text[])`;

export async function writeCounters(trx: Kysely<Tables>, counters: Counters): Promise<void> {
  const scopes = [...counters.keys()];
  const texts = [...counters.values()].map(stored);
  await sql`update scope_counters set counter = changed.counter
    from unnest(${scopes}::text[], ${texts}::text[]) as changed (scope, counter)
    where scope_counters.scope = changed.scope`.execute(trx);
}

const stored = (counter: ScopeCounter): string => JSON.stringify(counted(counter));

const fromRows = (rows: readonly Tables["scope_counters"][]): Counters =>
  new Map(rows.map(({ scope, counter }) => [scope, recounted(JSON.parse(counter) as Omit<ScopeCount, "scope">)]));
