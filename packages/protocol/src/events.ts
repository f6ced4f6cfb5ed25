import { z } from "zod";
import * as conversation from "./conversation-events.ts";
import * as network from "./network-events.ts";
import * as run from "./run-events.ts";
import * as setup from "./setup-events.ts";

/**
 * What happened in a conversation, in the past tense. Events are durable: the log replays to the same state for ever,
 * so a shape is never edited, only added to (optional fields, new types). Streamed fragments are not events: see
 * `deltas.ts`; the event that ends them holds the whole value.
 */
export const ConversationEvent = z.discriminatedUnion("type", [
  conversation.ConversationCreated,
  conversation.ConversationRenamed,
  conversation.ConversationArchived,
  conversation.ConversationUnarchived,
  conversation.ConversationConfigured,
  conversation.MessageAdded,
  conversation.NoticeAdded,
  conversation.WorkspacePrepared,
  conversation.WorkspaceCheckpointed,
  conversation.WorkspaceLost,
  conversation.WorkspaceRestored,
  setup.SetupStarted,
  setup.SetupEnded,
  conversation.InstructionsLoaded,
  conversation.SandboxStarted,
  conversation.SandboxStopped,
  conversation.SandboxLost,
  conversation.ResultDelivered,
  network.NetworkAsked,
  network.NetworkAnswered,
  network.NetworkRecorded,
  network.NetworkLimited,
  run.RunStarted,
  run.RunResumed,
  run.RunEnded,
  run.StepStarted,
  run.StepRetried,
  run.StepEnded,
  run.CallStarted,
  run.CallEnded,
  run.LimitReached,
  run.StuckDetected,
]);
export type ConversationEvent = z.infer<typeof ConversationEvent>;
export type EventType = ConversationEvent["type"];

/** The event with this `type`. */
export type EventOf<Type extends EventType> = Extract<ConversationEvent, { type: Type }>;

/** An event as stored. `seq` counts from 0 without gaps within a conversation; `at` is Unix time in milliseconds. */
export const StoredEvent = z.strictObject({
  seq: z.number().int().nonnegative(),
  at: z.number(),
  event: ConversationEvent,
});
export type StoredEvent = z.infer<typeof StoredEvent>;
