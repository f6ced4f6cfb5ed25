import type { CheckpointStore, OpenCheckpointStore } from "@handrail/core/ports/checkpoint-store";
import { keyedTurns } from "../conversations/keyed-turns.ts";
import { heldIn, Lineage, referencesOf } from "./lineage.ts";

/** The lineages of this server. What is done to one is done by one after another. */
export type Lineages = {
  use<Value>(id: string, work: (lineage: Lineage) => Promise<Value>): Promise<Value>;
  /** Ids of the checkpoints that a conversation holds on to. Waits for no turn. */
  heldBy(id: string, conversationId: string): Promise<ReadonlySet<string>>;
  /** Ids of all that have anything stored. */
  ids(): Promise<readonly string[]>;
};

/** Lineages whose indexes are remembered; the one used longest ago is forgotten first. */
const MAX_OPEN = 50;

export function lineagesOf(open: OpenCheckpointStore, key: Uint8Array): Lineages {
  const inTurn = keyedTurns();
  const known = new Map<string, Lineage>();
  let store: Promise<CheckpointStore> | undefined;
  const opened = () => {
    store ??= open();
    store.catch(() => (store = undefined));
    return store;
  };
  return {
    use: (id, work) =>
      inTurn(id, async () => {
        const lineage = known.get(id) ?? new Lineage(id, await opened(), key);
        known.delete(id);
        known.set(id, lineage);
        for (const oldest of known.keys()) if (known.size > MAX_OPEN) known.delete(oldest);
        try {
          return await work(lineage);
        } catch (thrown) {
          // What is in the store is known again when it is read.
          known.delete(id);
          throw thrown;
        }
      }),
    async heldBy(id, conversationId) {
      return new Set((await (await opened()).list(referencesOf(id, conversationId))).map(heldIn));
    },
    async ids() {
      const paths = await (await opened()).list("");
      return [...new Set(paths.map((path) => path.slice(0, path.indexOf("/"))))];
    },
  };
}
