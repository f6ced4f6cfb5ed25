import type { LogStore } from "@handrail/core/ports/log-store";
import { AppError } from "@handrail/protocol/errors";
import type { ConversationSummary } from "@handrail/protocol/summary";

const GATHER_MS = 40;

/** Calls back with the summary of each conversation that changed; changes close together give one call. */
export function summaryFeed(
  store: Pick<LogStore, "onAppend" | "summary">,
  onFailure: (thrown: unknown) => void,
  tell: (summary: ConversationSummary) => void,
): { close(): void } {
  const timers = new Map<string, NodeJS.Timeout>();
  const report = (thrown: unknown) => {
    if (!(thrown instanceof AppError) || thrown.code !== "conversation_not_found") onFailure(thrown);
  };
  const unwatch = store.onAppend((id) => {
    if (timers.has(id)) return;
    const later = () => {
      timers.delete(id);
      store.summary(id).then(tell).catch(report);
    };
    timers.set(id, setTimeout(later, GATHER_MS).unref());
  });
  return {
    close() {
      unwatch();
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}
