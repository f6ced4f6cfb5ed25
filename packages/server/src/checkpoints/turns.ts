import { setImmediate as turn } from "node:timers/promises";

/** How long work on what a sandbox has, or is to have, keeps others waiting. */
const TURN_MS = 10;

/** Gives everybody else a turn, when that is due; undefined when it is not. To be called between pieces of long work. */
export type Rest = () => Promise<void> | undefined;

/** When such work last began to run: one may be many small calls, none of which waits for anything. */
let began = 0;

export function turns(turnMs = TURN_MS): Rest {
  const rest = async () => {
    await turn();
    began = performance.now();
  };
  return () => (performance.now() - began > turnMs ? rest() : undefined);
}

const RESTS = turns();

/** Goes through many; others have their turns. `work` takes hardly any time for one. */
export async function eachInTurn<Item>(items: Iterable<Item>, work: (item: Item) => void): Promise<void> {
  for (const item of items) {
    const resting = RESTS();
    if (resting !== undefined) await resting;
    work(item);
  }
}

/** What comes of work that is made of small parts; others have their turns between them. */
export async function inTurn<Value>(parts: Generator<unknown, Value>): Promise<Value> {
  for (let part = parts.next(); ; part = parts.next()) {
    if (part.done) return part.value;
    await RESTS();
  }
}
