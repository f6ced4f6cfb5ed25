import type { ContentPart } from "@handrail/protocol/content";
import type { ConversationState } from "@handrail/protocol/conversation-state";
import { AppError } from "@handrail/protocol/errors";
import type { ConversationEvent } from "@handrail/protocol/events";
import type { Limits } from "@handrail/protocol/limits";

export type NewMessage = {
  readonly messageId: string;
  readonly userId: string;
  readonly content: readonly ContentPart[];
  /** The id for the run that the message starts, if it starts one. */
  readonly runId: string;
  /** Limits of that run which differ from the conversation's. */
  readonly runLimits?: Limits | undefined;
};

/**
 * The events of a user's message: alone during a run, whose next step reads it, else with the start of a run. To be
 * given to `Journal.commit`, so that it is decided on the log as it is.
 * @throws AppError `conversation_archived`, `run_active` when limits are named and a run is under way
 */
export function messageEvents(state: ConversationState, message: NewMessage): readonly ConversationEvent[] {
  if (state.archived) throw archived();
  const { messageId, userId, runId, runLimits } = message;
  const added: ConversationEvent = { type: "message.added", messageId, userId, content: [...message.content] };
  if (state.run !== null && runLimits !== undefined) throw limitsAreSet();
  if (state.run !== null) return [added];
  return [added, { type: "run.started", runId, messageId, limits: limitsOf(state, runLimits) }];
}

/**
 * The events that take the work up again after a stop, a limit, a question or a failure, without a new message.
 * @throws AppError `conversation_archived`, `run_active`, `run_inactive` when nothing has been said yet
 */
export function continueEvents(
  state: ConversationState,
  { runId, runLimits }: { readonly runId: string; readonly runLimits?: Limits | undefined },
): readonly ConversationEvent[] {
  if (state.archived) throw archived();
  if (state.run !== null) throw new AppError("run_active", "A run is under way already.");
  if (state.lastMessageId === null) {
    throw new AppError("run_inactive", "Nothing has been asked yet: send a message.");
  }
  return [
    { type: "run.started", runId, messageId: state.lastMessageId, limits: limitsOf(state, runLimits) },
    { type: "notice.added", audience: "model", code: "continue", text: "The user asks you to go on." },
  ];
}

/** A limit that was not named is the conversation's own. */
function limitsOf({ runLimits }: ConversationState, named: Limits = {}): Limits {
  return { ...runLimits, ...named };
}

const limitsAreSet = () =>
  new AppError("run_active", "A run is under way with limits of its own. Stop it first, or say this without limits.");

const archived = () =>
  new AppError("conversation_archived", "This conversation is archived. Take it out of the archive to go on.");
