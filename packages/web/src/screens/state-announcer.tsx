import { askedPlace } from "@handrail/protocol/asked-place";
import type { ConversationState } from "@handrail/protocol/conversation-state";
import { shownStatus, summaryOf } from "@handrail/protocol/summary";
import { STATUS_LOOKS } from "../components/status-badge.tsx";
import { openAsks } from "../state/open-asks.ts";
import { useNow } from "../state/use-now.ts";

/** Reads changes of the conversation's state aloud, what its sandbox asks for, and nothing else. */
export function StateAnnouncer({ state }: { readonly state: ConversationState | null }) {
  const now = useNow(60_000);
  const ask = openAsks(state, now).at(-1);
  return (
    <div aria-live="polite" className="sr-only">
      {state !== null && `State: ${STATUS_LOOKS[shownStatus(summaryOf(state), now)].word}`}
      {ask !== undefined && `. The sandbox wants to reach ${askedPlace(ask)}`}
    </div>
  );
}
