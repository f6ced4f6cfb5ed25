import { blobsIn, reachableTrees } from "./closure.ts";
import { framesOf, storeFrames } from "./copy-objects.ts";
import type { Lineage } from "./lineage.ts";
import type { Lineages } from "./lineages.ts";
import { weightOf } from "./object-index.ts";
import { ObjectTable, type StoredObjects } from "./object-table.ts";
import { eachInTurn } from "./turns.ts";

/** Indexes of one lineage over this many are made one. */
const MAX_INDEXES = 32;
/** A pack of which less is alive is written anew. */
const MIN_ALIVE = 0.5;

/**
 * Removes what no conversation holds on to. A kill at any moment leaves what is alive whole: the index is replaced
 * before a pack that it no longer names goes.
 */
export async function collectCheckpoints(lineages: Lineages, isThere: (conversationId: string) => Promise<boolean>) {
  for (const id of await lineages.ids()) {
    if (isSetups(id)) continue;
    await lineages.use(id, async (lineage) => {
      for (const gone of await goneFrom(lineage, isThere)) await lineage.references.removeOf(gone);
      await sweep(lineage);
    });
  }
}

/** Whether a lineage holds results of set-ups, which no conversation holds on to. */
export const isSetups = (lineageId: string): boolean => lineageId.startsWith("setup-");

/** Removes what a conversation held on to alone. */
export async function releaseCheckpoints(lineages: Lineages, lineageId: string, conversationId: string): Promise<void> {
  await lineages.use(lineageId, async (lineage) => {
    await lineage.references.removeOf(conversationId);
    await sweep(lineage);
  });
}

async function goneFrom(lineage: Lineage, isThere: (conversationId: string) => Promise<boolean>): Promise<string[]> {
  const ids = [...new Set((await lineage.references.all()).map(({ conversationId }) => conversationId))];
  const there = await Promise.all(ids.map(isThere));
  return ids.filter((_, index) => there[index] === false);
}

/** Removes what no reference of the lineage reaches. What is alive in packs that mostly are not gets new places. */
export async function sweep(lineage: Lineage): Promise<void> {
  const objects = await lineage.objects();
  const alive = await aliveIn(lineage);
  const isSparse = await sparseIn(objects, alive);
  const kept = new ObjectTable();
  const moving: string[] = [];
  await eachInTurn(objects, ([name, object]) => {
    if (!alive.has(name)) return;
    if (isSparse(object.pack)) moving.push(name);
    else kept.set(name, object);
  });
  if (kept.size === objects.size && lineage.indexCount <= MAX_INDEXES) return lineage.removeLoosePacks();
  const moved = await storeFrames(lineage, framesOf(lineage, moving));
  await eachInTurn(moved, ([name, object]) => kept.set(name, object));
  await lineage.replaceIndexes(kept);
}

async function aliveIn(lineage: Lineage): Promise<ReadonlySet<string>> {
  const alive = new Set<string>();
  for (const root of new Set((await lineage.references.all()).map((reference) => reference.root))) {
    const trees = await reachableTrees(root, async (names) => {
      const fresh = names.filter((name) => !alive.has(name));
      return new Map(await lineage.trees(fresh));
    });
    for (const name of trees.keys()) alive.add(name);
    for (const blob of await blobsIn(trees.values())) alive.add(blob);
  }
  return alive;
}

/** Whether mostly other things than what is alive are in a pack. */
async function sparseIn(objects: StoredObjects, alive: ReadonlySet<string>): Promise<(pack: string) => boolean> {
  const all = new Map<string, number>();
  const living = new Map<string, number>();
  await eachInTurn(objects, ([name, object]) => {
    const { pack } = object;
    all.set(pack, (all.get(pack) ?? 0) + weightOf(object));
    if (alive.has(name)) living.set(pack, (living.get(pack) ?? 0) + weightOf(object));
  });
  return (pack) => (living.get(pack) ?? 0) < (all.get(pack) ?? 0) * MIN_ALIVE;
}
