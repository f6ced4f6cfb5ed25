import { hash, randomUUID } from "node:crypto";
import { AppError } from "@handrail/protocol/errors";
import type { Books } from "../ports/books.ts";
import type { KeyRecord, Keys, NewKey, OwnerRecord } from "../ports/keys.ts";
import type { Admission, Ledger, LedgerEntry, Verdict } from "../ports/ledger.ts";
import type { LimitState } from "../ports/limits.ts";
import { answerTokens, promptTokens } from "../ports/token-usage.ts";

/** Books that forget, for tests of what uses them. `entries` are the settled calls, the oldest first. */
export type MemoryBooks = Books & {
  readonly entries: () => readonly LedgerEntry[];
  readonly open: () => readonly Admission[];
  /** From now on the books do not answer; undefined mends them. */
  breakWith(sentence: string | undefined): void;
};

export function memoryBooks(): MemoryBooks {
  const records = new Map<string, KeyRecord>();
  const owners = new Map<string, OwnerRecord>();
  const open = new Map<string, Admission>();
  const entries: LedgerEntry[] = [];
  let trouble: string | undefined;
  const check = () => {
    if (trouble !== undefined) throw new AppError("books_unavailable", trouble);
  };

  const ledger: Pick<Ledger, "admit" | "topUp" | "settle"> = {
    async admit(admission) {
      check();
      const verdict = judge(admission, [...open.values()], entries);
      if (verdict.admitted) open.set(admission.callId, admission);
      return verdict;
    },
    async topUp({ callId, scopes, moreNanoUsd }) {
      check();
      const admission = open.get(callId);
      if (!admission) throw new AppError("bad_request", "No call with this id is under way.");
      const budgets = scopes.map(({ id, limits: { budget } }) => ({ id, limits: budget ? { budget } : {} }));
      const more = { ...admission, scopes: budgets, reserveNanoUsd: moreNanoUsd };
      const verdict = judge(more, [...open.values()], entries);
      if (!verdict.admitted) return verdict.reached;
      open.set(callId, { ...admission, reserveNanoUsd: admission.reserveNanoUsd + moreNanoUsd });
      return undefined;
    },
    settle(settlement) {
      const admission = open.get(settlement.callId);
      if (!admission) return;
      open.delete(settlement.callId);
      entries.push({ ...admission.entry, ...settlement, startedAt: admission.at });
    },
  };
  const keys: Pick<Keys, "find" | "create" | "owner" | "saveOwner"> = {
    async find(keyHash) {
      check();
      return records.get(keyHash);
    },
    async create(wanted: NewKey, key = `sk-${randomUUID()}`) {
      const { metadata: _, ...rest } = wanted;
      const id = `k_${records.size + 1}`;
      const keyHash = hash("sha256", key);
      const record: KeyRecord = {
        admin: false,
        ...rest,
        id,
        hash: keyHash,
        hint: key.slice(0, 5),
        createdAt: Date.now(),
      };
      records.set(keyHash, record);
      return { key, record };
    },
    owner: async ({ kind, id }) => owners.get(`${kind}:${id}`),
    async saveOwner(record) {
      owners.set(`${record.kind}:${record.id}`, record);
    },
  };
  return {
    keys: { ...refusing<Keys>(), ...keys },
    ledger: { ...refusing<Ledger>(), ...ledger, flush: async () => undefined },
    trouble: () => trouble,
    close: async () => undefined,
    entries: () => entries,
    open: () => [...open.values()],
    breakWith: (sentence) => (trouble = sentence),
  };
}

/** What no test of the gateway needs. */
function refusing<Port extends object>(): Port {
  return {} as Port;
}

function judge(admission: Admission, open: readonly Admission[], entries: readonly LedgerEntry[]): Verdict {
  const limits: LimitState[] = [];
  for (const { id, limits: own } of admission.scopes) {
    const mine = open.filter(({ scopes }) => scopes.some((scope) => scope.id === id));
    const spent = entries.reduce((sum, entry) => sum + entry.costUsd, 0);
    const reserved = mine.reduce((sum, other) => sum + other.reserveNanoUsd / 1e9, 0);
    const used = entries.reduce((sum, { usage }) => sum + promptTokens(usage) + answerTokens(usage), 0);
    const held = mine.reduce((sum, other) => sum + other.reserveTokens, 0);
    const resetAt = admission.at + 60_000;
    const states: (LimitState & { readonly wanted: number })[] = [];
    if (own.budget) {
      const remaining = own.budget.usd - spent - reserved;
      states.push({
        scope: id,
        kind: "budget",
        limit: own.budget.usd,
        remaining,
        wanted: admission.reserveNanoUsd / 1e9,
      });
    }
    if (own.requestsPerMinute !== undefined) {
      const remaining = own.requestsPerMinute - entries.length - mine.length;
      states.push({ scope: id, kind: "requests", limit: own.requestsPerMinute, remaining, resetAt, wanted: 1 });
    }
    if (own.tokensPerMinute !== undefined) {
      const remaining = own.tokensPerMinute - used - held;
      states.push({
        scope: id,
        kind: "tokens",
        limit: own.tokensPerMinute,
        remaining,
        resetAt,
        wanted: admission.reserveTokens,
      });
    }
    if (own.parallel !== undefined) {
      states.push({
        scope: id,
        kind: "parallel",
        limit: own.parallel,
        remaining: own.parallel - mine.length,
        wanted: 1,
      });
    }
    for (const { wanted, ...state } of states) {
      if (wanted > state.remaining) return { admitted: false, reached: state };
      limits.push({ ...state, remaining: state.remaining - wanted });
    }
  }
  return { admitted: true, limits };
}
