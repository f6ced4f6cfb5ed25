import type { ConversationEvent, EventOf } from "@handrail/protocol/events";
import { newId } from "@handrail/protocol/ids";
import type { ConversationSummary } from "@handrail/protocol/summary";
import type { Append } from "../ports/log-store.ts";

const AT = 1_790_000_000_000;

/** The id of the conversation that `sampleCreated` begins. */
export const SAMPLE_ID = `c_${"0".repeat(20)}`;

/** The first event of a conversation with an empty workspace and no limits. */
export function sampleCreated(changes: Partial<EventOf<"conversation.created">> = {}): EventOf<"conversation.created"> {
  return {
    type: "conversation.created",
    conversationId: SAMPLE_ID,
    ownerId: "local",
    teamId: null,
    title: "test",
    source: { type: "empty" },
    sandbox: { backend: "process", network: { type: "none" } },
    model: "scripted",
    limits: {},
    runLimits: {},
    ...changes,
  };
}

/** A fresh conversation id. */
export const sampleId = (): string => newId("c", AT);

/** An event that can be told from others by its title. */
export const renamed = (title: string): ConversationEvent => ({ type: "conversation.renamed", title, by: "user" });

/** A summary with the fields that matter to a test. */
export function sampleSummary(id: string, changes: Partial<ConversationSummary> = {}): ConversationSummary {
  return {
    id,
    ownerId: "u_1",
    teamId: null,
    title: "Fix the parser",
    state: "idle",
    archived: false,
    source: { type: "empty" },
    backend: "process",
    model: "m",
    head: 0,
    createdAt: AT,
    updatedAt: AT,
    costUsd: 0,
    steps: 0,
    changes: { files: 0, added: 0, removed: 0 },
    ...changes,
  };
}

/** An append of events that carry these titles. */
export function sampleAppend(
  conversationId: string,
  expectedSeq: number,
  titles: readonly string[],
  changes: Partial<ConversationSummary> = {},
): Append {
  const events = titles.map(renamed);
  const head = expectedSeq + events.length - 1;
  return { conversationId, expectedSeq, events, at: AT, summary: sampleSummary(conversationId, { head, ...changes }) };
}

/** What a store gives back for such an append. */
export const sampleStored = (titles: readonly string[], from = 0) =>
  titles.map((title, index) => ({ seq: from + index, at: AT, event: renamed(title) }));
