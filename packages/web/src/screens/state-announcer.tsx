import type { ConversationState } from "@handrail/protocol/conversation-state";
import { summaryOf } from "@handrail/protocol/summary";
import { STATUS_LOOKS } from "../components/status-badge.tsx";

/** Reads changes of the conversation's state aloud, and nothing else. */
export function StateAnnouncer({ state }: { readonly state: ConversationState | null }) {
  return (
    <div aria-live="polite" className="sr-only">
      {state !== null && `State: ${STATUS_LOOKS[summaryOf(state).state].word}`}
    </div>
  );
}
