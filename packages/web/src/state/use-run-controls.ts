import type { ConversationState } from "@handrail/protocol/conversation-state";
import { useMutation } from "@tanstack/react-query";
import { useServices } from "./services.ts";
import { showError } from "./toasts.ts";
import { useOnline } from "./use-known-now.ts";

/**
 * Stop and continue for one conversation, and what has been asked for and not yet happened. While offline neither can
 * be asked for.
 */
export function useRunControls(conversationId: string, state: ConversationState | null) {
  const { client } = useServices();
  const online = useOnline();
  const place = { params: { id: conversationId } };
  const stop = useMutation({ mutationFn: (_runId: string) => client.stopRun(place), onError: showError });
  const goOn = useMutation({
    mutationFn: (_after: string) => client.continueRun({ ...place, body: {} }),
    onError: showError,
  });
  const runId = state?.run?.runId;
  // Of a run that has ended and that no other follows yet.
  const over = state?.run === null ? state.lastRun : null;
  return {
    online,
    working: runId !== undefined,
    stopping: runId !== undefined && stop.variables === runId && !stop.isError,
    stop: () => runId !== undefined && stop.mutate(runId),
    canContinue: over !== null && ["cancelled", "limited", "failed"].includes(over.outcome),
    continuing: over !== null && goOn.variables === over.runId && !goOn.isError,
    goOn: () => over !== null && goOn.mutate(over.runId),
  };
}

export type RunControls = ReturnType<typeof useRunControls>;
