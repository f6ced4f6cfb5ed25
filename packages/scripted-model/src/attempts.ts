import type { Fault, Turn } from "./script.ts";

/** Remembers which faults of a turn were played, for the latest 10,000 turns of all conversations. */
export type Attempts = {
  /** The fault to play at this attempt; undefined when all were played. */
  next(conversation: string, turnNumber: number, turn: Turn): Fault | undefined;
};

const MAX_REMEMBERED = 10_000;

export function attempts(): Attempts {
  const played = new Map<string, number>();
  return {
    next(conversation, turnNumber, turn) {
      if (!turn.faults?.length) return undefined;
      const key = `${turnNumber} ${conversation}`;
      const count = played.get(key) ?? 0;
      played.delete(key);
      played.set(key, count + 1);
      const oldest = played.keys().next();
      if (played.size > MAX_REMEMBERED && !oldest.done) played.delete(oldest.value);
      return turn.faults[count];
    },
  };
}
