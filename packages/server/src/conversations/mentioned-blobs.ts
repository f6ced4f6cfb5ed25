import type { LogStore } from "@handrail/core/ports/log-store";
import type { ConversationEvent } from "@handrail/protocol/events";

/** Whether a conversation's log names a blob. Each log is read once, and then only what has come since. */
export type MentionedBlobs = { has(conversationId: string, ref: string): Promise<boolean> };

type Seen = { readonly refs: Set<string>; after: number };

const PAGE = 1000;
/** Logs whose blobs are remembered; the one looked into longest ago is forgotten first. */
const MAX_LOGS = 100;

/** A blob is named by its content, so who knows a name from elsewhere must not get the bytes by it. */
export function mentionedBlobs(store: Pick<LogStore, "read">): MentionedBlobs {
  const logs = new Map<string, Seen>();
  return {
    async has(conversationId, ref) {
      const seen = logs.get(conversationId) ?? { refs: new Set(), after: -1 };
      logs.delete(conversationId);
      logs.set(conversationId, seen);
      for (const oldest of logs.keys()) if (logs.size > MAX_LOGS) logs.delete(oldest);
      if (!seen.refs.has(ref)) await readOn(store, conversationId, seen);
      return seen.refs.has(ref);
    },
  };
}

async function readOn(store: Pick<LogStore, "read">, conversationId: string, seen: Seen): Promise<void> {
  for (;;) {
    const page = await store.read(conversationId, seen.after, PAGE);
    for (const { seq, event } of page) {
      for (const ref of refsOf(event)) seen.refs.add(ref);
      seen.after = Math.max(seen.after, seq);
    }
    if (page.length < PAGE) return;
  }
}

function refsOf(event: ConversationEvent): string[] {
  if (event.type !== "message.added" && event.type !== "call.ended") return [];
  return event.content.flatMap((part) => (part.type === "image" ? [part.blob] : []));
}
