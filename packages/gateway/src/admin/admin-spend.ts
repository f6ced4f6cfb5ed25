import type { Books } from "../ports/books.ts";
import type { LedgerEntry, SpendFilter as BookFilter, SpendRow as BookRow } from "../ports/ledger.ts";
import { answerTokens, promptTokens } from "../ports/token-usage.ts";
import type { GatewayCall, SpendFilter, SpendGroup } from "@handrail/protocol/gateway";
import type { BooksAdmin } from "@handrail/protocol/books-admin";

type Parts = {
  readonly books: Books;
  /** A conversation's title; undefined when it is gone. */
  readonly titleOf: (conversationId: string) => Promise<string | undefined>;
};

/** What calls cost: sums and single ones, with names for people. */
export function adminSpend({ books, titleOf }: Parts): BooksAdmin["spend"] {
  return {
    async sums(by, filter) {
      const rows = await books.ledger.spend(by, bookFilter(filter));
      const label = await labelsFor({ books, titleOf }, by, rows);
      return rows.map((row) => ({ ...row, label: label(row.group) }));
    },
    async calls(filter, page) {
      const [entries, name] = await Promise.all([books.ledger.entries(bookFilter(filter), page), keyNames(books)]);
      return entries.map((entry) => shown(entry, name(entry.keyId)));
    },
  };
}

async function labelsFor({ books, titleOf }: Parts, by: SpendGroup, rows: readonly BookRow[]) {
  if (by === "key") return keyNames(books);
  if (by === "user" || by === "team") {
    const owners = new Map((await books.keys.owners(by)).map(({ id, name }) => [id, name]));
    return (id: string) => owners.get(id) ?? id;
  }
  if (by !== "conversation") return (group: string) => group;
  const titles = await Promise.all(rows.map(async ({ group }) => [group, group && (await titleOf(group))] as const));
  const named = new Map(titles);
  return (id: string) => named.get(id) ?? id;
}

async function keyNames(books: Books): Promise<(id: string) => string> {
  const names = new Map((await books.keys.list()).map(({ id, name }) => [id, name]));
  return (id) => names.get(id) ?? id;
}

function bookFilter(filter: SpendFilter): BookFilter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

function shown(entry: LedgerEntry, keyName: string): GatewayCall {
  const { callId, startedAt, model, keyId, conversationId, outcome, status, costUsd, priced, estimated } = entry;
  return {
    callId,
    at: startedAt,
    model,
    keyId,
    keyName,
    outcome,
    status,
    promptTokens: promptTokens(entry.usage),
    answerTokens: answerTokens(entry.usage),
    costUsd,
    priced,
    estimated,
    latencyMs: entry.latencyMs,
    ...(entry.firstByteMs !== undefined && { firstByteMs: entry.firstByteMs }),
    ...(entry.provider !== undefined && { provider: entry.provider }),
    ...(entry.upstreamModel !== undefined && { upstreamModel: entry.upstreamModel }),
    ...(conversationId !== undefined && { conversationId }),
    ...(entry.errorCode !== undefined && { errorCode: entry.errorCode }),
  };
}
