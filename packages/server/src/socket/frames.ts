import type { StoredEvent } from "@handrail/protocol/events";
import type { FromServer } from "@handrail/protocol/socket";

/** A message as text; typed so that only what clients know is sent. */
export function frameOf(message: FromServer): string {
  return JSON.stringify(message);
}

export function eventsFrame(conversationId: string, events: readonly StoredEvent[]): string {
  return frameOf({ type: "events", conversationId, events: [...events] });
}
