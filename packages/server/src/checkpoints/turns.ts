import { setImmediate as turn } from "node:timers/promises";

/** How long work on what a sandbox has, or is to have, keeps others waiting. */
const TURN_MS = 10;

/** Gives everybody else a turn, when that is due. To be called between pieces of long work. */
export function turns(turnMs = TURN_MS): () => Promise<void> | undefined {
  let until = performance.now() + turnMs;
  const rest = async () => {
    await turn();
    until = performance.now() + turnMs;
  };
  return () => (performance.now() > until ? rest() : undefined);
}
