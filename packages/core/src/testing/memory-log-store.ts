import { AppError } from "@handrail/protocol/errors";
import type { StoredEvent } from "@handrail/protocol/events";
import { sourceLabel } from "@handrail/protocol/source-label";
import type { ConversationSummary } from "@handrail/protocol/summary";
import type { Append, ListQuery, LogStore } from "../ports/log-store.ts";

type Log = { readonly events: readonly StoredEvent[]; readonly summary: ConversationSummary };

/** A `LogStore` that lives and ends with the process. For tests: it keeps every promise of the port but durability. */
export function memoryLogStore(): LogStore {
  const logs = new Map<string, Log>();
  const blobs = new Map<string, Uint8Array>();
  const listeners = new Set<(conversationId: string, seq: number) => void>();

  return {
    async append(append) {
      const before = logs.get(append.conversationId)?.events ?? [];
      checkExpected(append, before.length);
      const added = append.events.map((event, index) => ({ seq: append.expectedSeq + index, at: append.at, event }));
      logs.set(append.conversationId, { events: [...before, ...added], summary: append.summary });
      for (const listener of listeners) listener(append.conversationId, append.expectedSeq + added.length - 1);
      return added;
    },
    async read(conversationId, after, limit) {
      return (logs.get(conversationId)?.events ?? []).slice(after + 1, after + 1 + limit);
    },
    async summary(conversationId) {
      const log = logs.get(conversationId);
      if (log === undefined) throw new AppError("conversation_not_found", "There is no such conversation.");
      return log.summary;
    },
    async list(query) {
      return [...logs.values()]
        .map((log) => log.summary)
        .filter((summary) => matches(summary, query))
        .sort(byLatest)
        .slice(0, query.limit);
    },
    async remove(conversationId) {
      logs.delete(conversationId);
    },
    onAppend(listener) {
      const own: typeof listener = (conversationId, seq) => listener(conversationId, seq);
      listeners.add(own);
      return () => listeners.delete(own);
    },
    async putBlob(bytes) {
      const ref = await blobRefOf(bytes);
      if (!blobs.has(ref)) blobs.set(ref, bytes.slice());
      return ref;
    },
    async getBlob(ref) {
      const bytes = blobs.get(ref);
      if (bytes === undefined) throw new AppError("not_found", "There is no such file in the store.", { ref });
      return bytes.slice();
    },
    async close() {
      listeners.clear();
    },
  };
}

function checkExpected({ conversationId, expectedSeq, events }: Append, next: number): void {
  if (events.length === 0) throw new AppError("internal", "An append needs at least one event.", { conversationId });
  if (expectedSeq === next) return;
  if (next === 0) throw new AppError("conversation_not_found", "There is no such conversation.");
  throw new AppError("log_conflict", "Someone else wrote to the conversation first. Read on and try again.", {
    conversationId,
    expectedSeq,
    nextSeq: next,
  });
}

function matches(summary: ConversationSummary, query: ListQuery): boolean {
  const text = `${summary.title}\n${sourceLabel(summary.source)}`.toLowerCase();
  const words = (query.search ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  return (
    (query.ownerId === undefined || summary.ownerId === query.ownerId) &&
    (query.archived === undefined || summary.archived === query.archived) &&
    (query.states === undefined || query.states.includes(summary.state)) &&
    (query.after === undefined || byLatest(query.after, summary) < 0) &&
    words.every((word) => text.includes(word))
  );
}

type Placed = { readonly updatedAt: number; readonly id: string };

function byLatest(left: Placed, right: Placed): number {
  if (left.updatedAt !== right.updatedAt) return right.updatedAt - left.updatedAt;
  if (left.id === right.id) return 0;
  return left.id < right.id ? -1 : 1;
}

async function blobRefOf(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await platform.crypto.subtle.digest("SHA-256", bytes));
  return `sha256:${Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

type Digest = (algorithm: "SHA-256", bytes: Uint8Array) => Promise<ArrayBuffer>;
const platform = globalThis as unknown as { readonly crypto: { readonly subtle: { readonly digest: Digest } } };
