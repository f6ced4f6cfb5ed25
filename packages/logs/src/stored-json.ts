import { AppError } from "@handrail/protocol/errors";
import { ConversationEvent, type StoredEvent } from "@handrail/protocol/events";
import type { Tables } from "./tables.ts";

const KNOWN: ReadonlySet<string> = new Set(ConversationEvent.options.map((option) => option.shape.type.value));

/**
 * The event of a row. What we wrote is trusted and not checked again. An event of a type that this version does not
 * know (a newer one wrote it) is given as a `notice.added` for the user, code `event_unknown`, so that the log has no
 * gap and folds; the row stays as it is, and the newer version reads it again in full.
 */
export function toStoredEvent(row: Pick<Tables["events"], "seq" | "at" | "event">): StoredEvent {
  const event = parseRow<ConversationEvent>(row.event);
  return { seq: row.seq, at: row.at, event: KNOWN.has(event.type) ? event : unknownEvent(event.type) };
}

/** @throws AppError `storage_failed` when the text is no JSON: the file is damaged */
export function parseRow<Value>(text: string): Value {
  try {
    return JSON.parse(text) as Value;
  } catch (cause) {
    throw new AppError("storage_failed", "The database is damaged. Restore the latest backup.", {}, { cause });
  }
}

function unknownEvent(type: string): ConversationEvent {
  return {
    type: "notice.added",
    audience: "user",
    code: "event_unknown",
    text: `A newer Handrail wrote an event here that this version does not know (${type}).`,
  };
}
