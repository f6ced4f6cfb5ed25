import { setImmediate as turn } from "node:timers/promises";

/** How long work on what a sandbox sends keeps others waiting. */
const TURN_MS = 10;

/** Gives everybody else a turn, when that is due. To be called between pieces of long work. */
export function turns(): () => Promise<void> | undefined {
  let until = performance.now() + TURN_MS;
  const rest = async () => {
    await turn();
    until = performance.now() + TURN_MS;
  };
  return () => (performance.now() > until ? rest() : undefined);
}
