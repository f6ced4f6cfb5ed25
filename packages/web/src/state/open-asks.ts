import type { ConversationState } from "@handrail/protocol/conversation-state";
import type { OpenAsk } from "@handrail/protocol/network-state";
import { ASK_LIFE_MS } from "@handrail/protocol/summary";

/** What the sandbox asks for and can still be answered, oldest first. */
export function openAsks(state: ConversationState | null, nowMs: number): readonly OpenAsk[] {
  if (state === null || state.archived) return [];
  return state.asks.filter(({ at }) => nowMs - at < ASK_LIFE_MS);
}
