import { z } from "zod";
import { countChanges } from "./changes.ts";
import type { ConversationState } from "./conversation-state.ts";
import { ConversationId } from "./ids.ts";
import { BackendName, WorkspaceSource } from "./sources.ts";

/**
 * How a conversation stands, for lists. `working`: a run is under way. The rest is the latest run's outcome; `idle`
 * before the first.
 */
export const ConversationStatus = z.enum(["idle", "working", "done", "asked", "failed", "cancelled", "limited"]);
export type ConversationStatus = z.infer<typeof ConversationStatus>;

/** One row of the conversation list: a projection of the log's fold. Times are Unix milliseconds. */
export const ConversationSummary = z.object({
  id: ConversationId,
  ownerId: z.string(),
  teamId: z.string().nullable(),
  title: z.string(),
  state: ConversationStatus,
  archived: z.boolean(),
  source: WorkspaceSource,
  backend: BackendName,
  model: z.string(),
  head: z.number().int(),
  createdAt: z.number(),
  updatedAt: z.number(),
  costUsd: z.number(),
  steps: z.number().int(),
  changes: z.object({ files: z.number().int(), added: z.number().int(), removed: z.number().int() }),
  /** Open asks of the sandbox, those included that nobody answered for a day; absent when there is none. */
  asks: z.number().int().positive().optional(),
});
export type ConversationSummary = z.infer<typeof ConversationSummary>;

/** How long an ask can be answered, in milliseconds. */
export const ASK_LIFE_MS = 24 * 3_600_000;

/**
 * How a conversation stands for its user: one whose sandbox asks for the network needs an answer, as one whose agent
 * asks.
 */
export function shownStatus(row: ConversationSummary, nowMs: number): ConversationStatus {
  return isAsking(row, nowMs) ? "asked" : row.state;
}

/** Whether its sandbox asks for the network, and can still be answered. */
export function isAsking({ asks, archived, updatedAt }: ConversationSummary, nowMs: number): boolean {
  return asks !== undefined && !archived && nowMs - updatedAt < ASK_LIFE_MS;
}

/** A conversation as a row of a list. */
export function summaryOf(state: ConversationState): ConversationSummary {
  return {
    id: state.id,
    ownerId: state.ownerId,
    teamId: state.teamId,
    title: state.title,
    state: state.run !== null ? "working" : (state.lastRun?.outcome ?? "idle"),
    archived: state.archived,
    source: state.source,
    backend: state.sandbox.backend,
    model: state.model,
    head: state.head,
    createdAt: state.createdAt,
    updatedAt: state.updatedAt,
    costUsd: state.totals.costUsd,
    steps: state.totals.steps,
    changes: countChanges(state.changes),
    ...(state.asks.length === 0 ? {} : { asks: state.asks.length }),
  };
}
