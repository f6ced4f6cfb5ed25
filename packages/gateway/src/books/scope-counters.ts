import { scopeCounter, type ScopeCounter } from "./scope-counter.ts";
import type { SqliteStatements } from "./sqlite-statements.ts";

export type ScopeCounters = {
  /** The scope's counter; read from the database when it is not in memory. */
  get(scope: string, at: number): ScopeCounter;
};

/** Idle counters beyond this many are let go; the database has what they spent. */
const KEPT = 5000;
const WINDOW_MS = 60_000;
/** Calls of the last minute that are counted again after a start, at most. */
const RECOUNTED = 50_000;

/** Counters in memory, with what was used in the last minute before the start. */
export function scopeCounters(statements: SqliteStatements, now: number): ScopeCounters {
  const kept = new Map<string, ScopeCounter>();
  let sweepAbove = KEPT;

  const get = (scope: string, at: number): ScopeCounter => {
    let counter = kept.get(scope);
    if (counter === undefined) {
      counter = scopeCounter(statements.spendOf(scope));
      kept.set(scope, counter);
    }
    counter.touchedAt = at;
    if (kept.size > sweepAbove) {
      sweep(kept, at);
      // Under a flood of scopes, all in use, not every call pays for a sweep.
      sweepAbove = Math.max(KEPT, kept.size * 2);
    }
    return counter;
  };

  for (const { at, tokens, scopes } of statements.recent(now - WINDOW_MS, RECOUNTED)) {
    for (const scope of scopes) {
      const counter = get(scope, at);
      counter.requests.add(at, 1);
      counter.tokens.add(at, tokens);
    }
  }
  return { get };
}

function sweep(kept: Map<string, ScopeCounter>, at: number): void {
  for (const [scope, counter] of kept) {
    if (counter.pinned === 0 && at - counter.touchedAt > WINDOW_MS) kept.delete(scope);
  }
}
