import type { CheckpointStore, OpenCheckpointStore } from "@handrail/core/ports/checkpoint-store";
import { keyedTurns } from "../conversations/keyed-turns.ts";
import { Lineage } from "./lineage.ts";
import { heldIn, referencesOf } from "./references.ts";

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
/** Objects of all of these together; those of one that is in use are known however many they are. */
const MAX_KNOWN_OBJECTS = 3_000_000;

/** How many objects one lineage takes, and how many are known of all that were used lately. Undefined: as usual. */
export type MostObjects = { readonly lineage?: number | undefined; readonly known?: number | undefined };

export function lineagesOf(open: OpenCheckpointStore, key: Uint8Array, most: MostObjects = {}): Lineages {
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
        const lineage = known.get(id) ?? new Lineage(id, await opened(), key, most.lineage);
        known.delete(id);
        known.set(id, lineage);
        try {
          return await work(lineage).finally(() => forgetOldest(known, most.known ?? MAX_KNOWN_OBJECTS));
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

/** The one that was used last stays. */
function forgetOldest(known: Map<string, Lineage>, maxObjects: number): void {
  let objects = Array.from(known.values()).reduce((sum, { objectCount }) => sum + objectCount, 0);
  for (const [id, { objectCount }] of known) {
    if (known.size <= 1 || (known.size <= MAX_OPEN && objects <= maxObjects)) return;
    known.delete(id);
    objects -= objectCount;
  }
}
