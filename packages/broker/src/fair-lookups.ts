import { RESOLVE_MS, type Resolve } from "./find-addresses.ts";

/** The addresses of a name that a conversation's sandbox asks for. */
export type ResolveFor = (conversationId: string, name: string) => Promise<readonly string[]>;

type Turn = {
  /** Names that are being looked up or wait for it. */
  readonly asked: Map<string, ReturnType<Resolve>>;
  last: Promise<unknown>;
};

/**
 * Looks up one name of a conversation at a time, and a name once for all who ask meanwhile: the system does two at once, and
 * whoever has a zone of their own makes names that take it long. What waited so long that nobody does any more is not looked up.
 */
export function fairLookups(resolve: Resolve, now: () => number): ResolveFor {
  const turns = new Map<string, Turn>();
  return (conversationId, name) => {
    const turn = turns.get(conversationId) ?? { asked: new Map(), last: Promise.resolve() };
    turns.set(conversationId, turn);
    const known = turn.asked.get(name);
    if (known !== undefined) return known;
    const at = now();
    const lookup = turn.last.then(() => (now() - at < RESOLVE_MS ? resolve(name) : []));
    turn.asked.set(name, lookup);
    const over = () => {
      turn.asked.delete(name);
      if (turn.asked.size === 0) turns.delete(conversationId);
    };
    turn.last = lookup.then(over, over);
    return lookup;
  };
}
