import { useEffect, useSyncExternalStore } from "react";
import type { ConversationView } from "./conversation-store.ts";
import { useServices } from "./services.ts";

/** One conversation, kept up to date while the component is shown. */
export function useConversation(conversationId: string): ConversationView {
  const services = useServices();
  const store = services.store(conversationId);
  useEffect(() => {
    const after = store.view().transcript.head;
    return services.socket().subscribe(conversationId, after, {
      attended: true,
      onEvents: (events) => store.receiveEvents(events),
      onDelta: (delta) => store.receiveDelta(delta),
      onError: (error) => store.fail(error),
    });
  }, [services, store, conversationId]);
  return useSyncExternalStore(store.subscribe, store.view);
}
