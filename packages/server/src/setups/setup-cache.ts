import type { Clock } from "@handrail/core/ports/clock";
import type { Sandbox } from "@handrail/core/ports/sandbox";
import type { OpenedSetup, SetupCache } from "@handrail/core/ports/setup-cache";
import type { ConversationState } from "@handrail/protocol/conversation-state";
import { encodeObjectFrame } from "@handrail/protocol/sandboxd/object-frames";
import { type ReusedSetup, SETUP_SCRIPT } from "@handrail/protocol/setup";
import type { SnapshotTree } from "@handrail/protocol/snapshots";
import { sourceLabel } from "@handrail/protocol/source-label";
import { blobsIn, checkSnapshot, reachableTrees } from "../checkpoints/closure.ts";
import { compareTrees, findEntry } from "../checkpoints/compare.ts";
import { framesOf, storeFrames } from "../checkpoints/copy-objects.ts";
import type { KeptFiles } from "../checkpoints/kept-files.ts";
import type { Place } from "../checkpoints/kept-snapshots.ts";
import { encodedInTurn } from "../checkpoints/object-content.ts";
import type { Lineage, NamedFrame } from "../checkpoints/lineage.ts";
import { treesOf } from "../checkpoints/send.ts";
import { mergeLayer, type Trees } from "./merge-layer.ts";
import { beginWatch, systemOf, writtenElsewhere } from "./sandbox-probe.ts";
import { setupKey, setupPlace } from "./setup-key.ts";
import { holdSetup, setupNote, type SetupNote } from "./setup-store.ts";

/** What holds on to the workspace as it was before its set-up, as long as its conversation is there. */
const BEFORE = "before-setup";

type CacheParts = Pick<KeptFiles, "lineages" | "mover"> & { readonly clock: Clock };

/**
 * Results of set-ups in the checkpoint store, in a lineage for each owner's repository and branch: nothing of one
 * reaches another. A result is what the set-up changed in the workspace; it is put onto whatever the repository has now.
 */
export function setupCache(parts: CacheParts): SetupCache {
  return {
    async open(state, sandbox, { command, shown }, signal) {
      const system = await systemOf(sandbox, signal);
      return parts.lineages.use(state.snapshots.lineage, async (lineage) => {
        const { root } = await parts.mover.take({ lineage, state, sandbox }, signal);
        // A set-up may take long: what is collected meanwhile must not be this.
        await lineage.references.add({ conversationId: state.id, checkpointId: BEFORE, root });
        const trees = await treesOf(lineage, root);
        const script = await scriptIn(lineage, root, (name) => trees.get(name));
        const key = setupKey({ state, command, system, root, script, trees: (name) => trees.get(name) });
        return openedSetup({ ...parts, state, sandbox, shown, key, before: root });
      });
    },
  };
}

type Opened = CacheParts & {
  readonly state: ConversationState;
  readonly sandbox: Sandbox;
  readonly shown: string;
  readonly key: string;
  /** The workspace before the set-up. */
  readonly before: string;
};

function openedSetup(opened: Opened): OpenedSetup {
  const { lineages, state, sandbox, clock } = opened;
  /** The conversation's lineage, then the results': always in this order. */
  const inBoth = <Value>(work: (place: Place, results: Lineage) => Promise<Value>) =>
    lineages.use(state.snapshots.lineage, (lineage) =>
      lineages.use(setupPlace(state), (results) => work({ lineage, state, sandbox }, results)),
    );
  return {
    async reuse(signal) {
      const reused = await inBoth((place, results) => reuse(opened, place, results, signal));
      if (reused === undefined) await beginWatch(sandbox, signal);
      return reused;
    },
    async keep(ranMs, signal) {
      const elsewhere = await writtenElsewhere(sandbox, signal);
      if (elsewhere.length > 0) return elsewhereText(elsewhere);
      return inBoth(async (place, results) => keep(opened, place, results, { ranMs, at: clock.now(), signal }));
    },
  };
}

async function reuse(
  { key, before: now, mover, clock }: Opened,
  place: Place,
  results: Lineage,
  signal: AbortSignal,
): Promise<ReusedSetup | undefined> {
  const note = await setupNote(results, key);
  if (note === undefined) return undefined;
  const layered = await layer(place.lineage, results, note, now);
  if (layered === undefined) return undefined;
  const { root, files, bytes } = layered;
  const done = await mover.put(place, root, signal).catch(() => undefined);
  if (done?.failed.length !== 0) {
    await mover.put(place, now, signal);
    return undefined;
  }
  await results.notes.put(key, { ...note, usedAt: clock.now() });
  return { at: note.at, ranMs: note.ranMs, files, bytes };
}

type Layered = { readonly root: string; readonly files: number; readonly bytes: number };

/** The workspace as it is now with the result on it, stored where the conversation's snapshots are. */
async function layer(
  lineage: Lineage,
  results: Lineage,
  { before, after }: SetupNote,
  now: string,
): Promise<Layered | undefined> {
  const present = await treesOf(lineage, now);
  const kept = new Map([...(await treesOf(results, before)), ...(await treesOf(results, after))]);
  const either: Trees = (name) => present.get(name) ?? kept.get(name);
  const merged = await mergeLayer({ before, after, now }, either);
  if (merged === undefined) return undefined;
  const any: Trees = (name) => merged.made.get(name) ?? either(name);
  const trees = await reachableTrees(merged.root, async (names) => found(names, any));
  const known = await lineage.objects();
  const all = [...trees.keys(), ...(await blobsIn(trees.values()))];
  const wanted = all.filter((name) => !known.has(name));
  const there = wanted.filter((name) => !merged.made.has(name));
  const stored = new Map([
    ...(await storeFrames(lineage, framesOf(results, there))),
    ...(await storeFrames(lineage, treeFrames(merged.made))),
  ]);
  await checkSnapshot(merged.root, trees, (name) => stored.get(name) ?? known.get(name));
  await lineage.addIndex(stored);
  lineage.remember(trees);
  return { root: merged.root, ...(await sumOf(now, merged.root, any)) };
}

function found(names: readonly string[], trees: Trees): ReadonlyMap<string, SnapshotTree> {
  return new Map(names.flatMap((name) => [[name, trees(name)] as const]).filter(hasTree));
}

const hasTree = (pair: readonly [string, SnapshotTree | undefined]): pair is readonly [string, SnapshotTree] =>
  pair[1] !== undefined;

async function* treeFrames(trees: ReadonlyMap<string, SnapshotTree>): AsyncGenerator<NamedFrame> {
  for (const [name, tree] of trees) {
    const data = await encodedInTurn(tree);
    const frame = encodeObjectFrame({ kind: "tree", packed: false, size: data.length, data });
    yield { name, kind: "tree", size: data.length, frame };
  }
}

type Ran = { readonly ranMs: number; readonly at: number; readonly signal: AbortSignal };

async function keep(
  { state, shown, key, before, mover }: Opened,
  place: Place,
  results: Lineage,
  { ranMs, at, signal }: Ran,
): Promise<string | undefined> {
  const { lineage } = place;
  const { root: after } = await mover.take(place, signal);
  const old = await treesOf(lineage, before);
  const made = await treesOf(lineage, after);
  const trees: Trees = (name) => old.get(name) ?? made.get(name);
  const leftOut = await incomplete(before, after, trees);
  if (leftOut !== undefined) return `${leftOut} is too large to be kept, or cannot be read.`;
  const blobs = (await compareTrees(before, after, trees)).flatMap(({ after: entry }) =>
    entry?.type === "file" ? entry.blobs : [],
  );
  const known = await results.objects();
  const wanted = [...old.keys(), ...made.keys(), ...blobs].filter((name) => !known.has(name));
  await results.addIndex(await storeFrames(results, framesOf(lineage, new Set(wanted))));
  const sums = await sumOf(before, after, trees);
  const source = sourceLabel(state.source);
  await holdSetup(results, key, {
    ownerId: state.ownerId,
    source,
    command: shown,
    before,
    after,
    at,
    usedAt: at,
    ranMs,
    ...sums,
  });
  return undefined;
}

/** A path that the set-up made and that is not in the snapshot; caches do not count. */
async function incomplete(before: string, after: string, trees: Trees): Promise<string | undefined> {
  return (await compareTrees(before, after, trees)).find(
    ({ after: entry }) => entry?.type === "left-out" && entry.reason !== "cache" && entry.reason !== "special",
  )?.path;
}

async function sumOf(from: string, to: string, trees: Trees): Promise<Pick<Layered, "files" | "bytes">> {
  const entries = (await compareTrees(from, to, trees)).flatMap(({ after }) => (after === undefined ? [] : [after]));
  const bytes = entries.reduce((sum, entry) => sum + (entry.type === "file" ? entry.size : 0), 0);
  return { files: entries.length, bytes };
}

async function scriptIn(lineage: Lineage, root: string, trees: Trees): Promise<string> {
  const entry = findEntry(root, SETUP_SCRIPT, trees);
  if (entry?.type !== "file") return "";
  const blobs = await lineage.blobs(entry.blobs.slice(0, 1));
  return Buffer.concat([...blobs.values()]).toString("utf8");
}

function elsewhereText(paths: readonly string[]): string {
  const some = paths.map((path) => JSON.stringify(path.slice(0, 200))).join(", ");
  return `It wrote files outside of the workspace, which are not kept: ${some}.`;
}
