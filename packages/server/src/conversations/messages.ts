import type { Journal } from "@handrail/core/journal";
import type { LogStore } from "@handrail/core/ports/log-store";
import { messageEvents, type NewMessage } from "@handrail/core/start-run";
import type { ConversationState } from "@handrail/protocol/conversation-state";
import type { ConversationEvent } from "@handrail/protocol/events";
import { titleOf, UNTITLED } from "./title.ts";

/**
 * What a message writes, with the title that the first message gives to an untitled conversation.
 * @throws AppError `conversation_archived`
 */
export function titledMessageEvents(state: ConversationState, message: NewMessage): readonly ConversationEvent[] {
  const events = messageEvents(state, message);
  const title = state.title === UNTITLED && state.lastMessageId === null ? titleOf(message.content) : undefined;
  return title === undefined ? events : [{ type: "conversation.renamed", title, by: "system" }, ...events];
}

/** Tells which messages a log has, so that a message sent twice is added once. */
export type MessageIndex = {
  /** The `seq` of a message; undefined when the log has none with this id. */
  seqOf(journal: Journal, messageId: string): Promise<number | undefined>;
};

const PAGE = 1000;

/** Reads a log once, at the first question about it, and follows it from there for as long as its journal is open. */
export function messageIndex(store: Pick<LogStore, "read">): MessageIndex {
  const known = new WeakMap<Journal, Promise<Map<string, number>>>();
  const read = async (journal: Journal) => {
    const seqs = new Map<string, number>();
    const add = (events: Awaited<ReturnType<LogStore["read"]>>) => {
      for (const { seq, event } of events) if (event.type === "message.added") seqs.set(event.messageId, seq);
    };
    journal.onEvents(add);
    for (let after = -1; ;) {
      const page = await store.read(journal.state.id, after, PAGE);
      add(page);
      if (page.length < PAGE) return seqs;
      after = page.at(-1)?.seq ?? after;
    }
  };
  return {
    async seqOf(journal, messageId) {
      const seqs = known.get(journal) ?? read(journal);
      known.set(journal, seqs);
      return (await seqs).get(messageId);
    },
  };
}
