import type { ConversationState } from "@handrail/protocol/conversation-state";
import type { Transcript } from "@handrail/protocol/transcript";

/** What waits for the user's answer. `choices` may be empty. `stopped`: no question of the agent's, so it can also go on. */
export type OpenQuestion = {
  readonly question: string;
  readonly choices: readonly string[];
  readonly stopped: boolean;
};

/** The question that waits for the user; null when none does. */
export function openQuestion(state: ConversationState | null, transcript: Transcript): OpenQuestion | null {
  if (state === null || state.run !== null || state.unread > 0) return null;
  if (state.lastRun?.outcome !== "asked") return null;
  const asked = lastQuestion(transcript);
  return {
    question: asked?.question ?? state.lastRun.detail,
    choices: asked?.choices ?? [],
    stopped: asked === undefined,
  };
}

/** What the last step asked, if it asked at all. */
function lastQuestion({ items }: Transcript) {
  const step = items.findLast((item) => item.kind === "step");
  const calls = step?.parts.flatMap((part) => (part.type === "call" ? [part.call.data] : [])) ?? [];
  return calls.findLast((data) => data.question !== undefined);
}
