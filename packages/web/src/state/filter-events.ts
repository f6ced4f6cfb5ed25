import type { StoredEvent } from "@handrail/protocol/events";

/** The events whose JSON has every typed word in it. Letters' case does not matter. */
export function filterEvents(events: readonly StoredEvent[], text: string): readonly StoredEvent[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return events;
  return events.filter((event) => {
    const json = JSON.stringify(event).toLowerCase();
    return words.every((word) => json.includes(word));
  });
}
