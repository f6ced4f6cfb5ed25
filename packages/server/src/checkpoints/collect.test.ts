import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { directoryStore } from "@handrail/checkpoints/directory-store";
import type { CheckpointStore } from "@handrail/core/ports/checkpoint-store";
import { encodeObjectFrame } from "@handrail/protocol/sandboxd/object-frames";
import { encodeTree, type ObjectKind } from "@handrail/protocol/snapshots";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { blobsIn, reachableTrees } from "./closure.ts";
import { collectCheckpoints, releaseCheckpoints } from "./collect.ts";
import { type Lineage, type NamedFrame } from "./lineage.ts";
import { nameOf } from "./object-content.ts";
import { type Lineages, lineagesOf } from "./lineages.ts";

const parent = mkdtempSync(join(tmpdir(), "handrail-collect-"));
afterAll(() => rmSync(parent, { recursive: true, force: true }));

const KEY = Buffer.alloc(32, 3);
const LINEAGE = "family";

/** `files` are numbers that stand for contents. Each conversation has a few. */
type Step =
  | { readonly do: "keep"; readonly conversation: string; readonly files: readonly number[] }
  | { readonly do: "release"; readonly conversation: string }
  | { readonly do: "collect" };

const conversation = fc.constantFrom("one", "two", "three");
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("keep"), conversation, files: fc.uniqueArray(fc.nat(12)) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("release"), conversation }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("collect") }) },
);

function objectOf(kind: ObjectKind, data: Uint8Array): NamedFrame {
  const frame = encodeObjectFrame({ kind, packed: false, size: data.length, data });
  return { name: nameOf(kind, data), kind, size: data.length, frame };
}

/** What a snapshot of these files is made of, its root last. */
function snapshotOf(files: readonly number[]): NamedFrame[] {
  const blobs = files.toSorted((one, other) => one - other).map((file) => objectOf("blob", Buffer.alloc(100, file)));
  const entries = blobs.map(({ name, size }, index) => ({
    type: "file" as const,
    name: String(index).padStart(3, "0"),
    mode: 0o644,
    mtime: "0",
    size,
    blobs: [name],
  }));
  return [...blobs, objectOf("tree", encodeTree({ mode: 0o755, mtime: "0", entries }))];
}

/** The store until its `left`th change, which a kill meets before or after it is done; then nothing is done any more. */
function killedAt(store: CheckpointStore, left: number, done: boolean): CheckpointStore {
  let changes = 0;
  const change = async (work: () => Promise<void>) => {
    changes += 1;
    if (changes < left || (changes === left && done)) await work();
    if (changes >= left) throw new Error("killed");
  };
  return {
    put: (path, bytes) => change(() => store.put(path, bytes)),
    remove: (path) => change(() => store.remove(path)),
    get: (path, range) => store.get(path, range),
    list: (prefix) => store.list(prefix),
  };
}

async function keep(lineage: Lineage, conversationId: string, checkpointId: string, files: readonly number[]) {
  const known = await lineage.objects();
  const frames = snapshotOf(files);
  const fresh = frames.filter(({ name }) => !known.has(name));
  if (fresh.length > 0) await lineage.addIndex(await lineage.putPack(fresh));
  await lineage.references.add({ conversationId, checkpointId, root: frames.at(-1)?.name ?? "" });
}

/** Everything that a lineage's references hold on to is there, by its name. */
async function readAll(lineage: Lineage): Promise<string[]> {
  const references = await lineage.references.all();
  for (const { root } of references) {
    const trees = await reachableTrees(root, async (names) => new Map(await lineage.trees(names)));
    const blobs = [...(await blobsIn(trees.values()))];
    expect([...(await lineage.blobs(blobs)).keys()].toSorted()).toEqual(blobs.toSorted());
  }
  return references.map((reference) => `${reference.conversationId}/${reference.checkpointId}`).toSorted();
}

/** What the steps hold on to when they are done: those that were answered must be there, or rightly not. */
class Held {
  readonly references = new Set<string>();

  forget(conversationId: string): void {
    for (const path of this.references) if (path.startsWith(`${conversationId}/`)) this.references.delete(path);
  }
}

async function take(lineages: Lineages, held: Held, done: Step, checkpointId: string): Promise<void> {
  if (done.do === "keep") {
    await lineages.use(LINEAGE, (lineage) => keep(lineage, done.conversation, checkpointId, done.files));
    held.references.add(`${done.conversation}/${checkpointId}`);
  } else if (done.do === "release") {
    held.forget(done.conversation);
    await releaseCheckpoints(lineages, LINEAGE, done.conversation);
  } else await collectCheckpoints(lineages, async () => true);
}

const lineagesIn = (store: CheckpointStore) => lineagesOf(async () => store, KEY);

/** After a new start: all that is held is whole, and collecting leaves that and nothing else. */
async function checkStore(store: CheckpointStore, held: Held): Promise<void> {
  const after = lineagesIn(store);
  const before = await after.use(LINEAGE, (lineage) => readAll(lineage));
  expect(before).toEqual(expect.arrayContaining([...held.references]));
  await collectCheckpoints(after, async () => true);
  const again = lineagesIn(store);
  expect(await again.use(LINEAGE, (lineage) => readAll(lineage))).toEqual(before);
  const objects = await again.use(LINEAGE, (lineage) => lineage.objects());
  const named = new Set(Array.from(objects.values(), ({ pack }) => pack));
  expect(await store.list(`${LINEAGE}/packs/`)).toEqual([...named].toSorted());
}

test("a kill at any change of the store loses nothing that was held, and what it left is collected", async () => {
  const killed = fc.record({ steps: fc.array(step, { maxLength: 12 }), at: fc.integer({ min: 1, max: 40 }) });
  await fc.assert(
    fc.asyncProperty(killed, fc.boolean(), async ({ steps, at }, done) => {
      const store = directoryStore(mkdtempSync(join(parent, "store-")));
      const lineages = lineagesIn(killedAt(store, at, done));
      const held = new Held();
      for (const [index, next] of steps.entries()) {
        const ended = await take(lineages, held, next, `k${index}`).then(
          () => true,
          () => false,
        );
        if (!ended) break;
      }
      await checkStore(store, held);
    }),
    { numRuns: 40 },
  );
}, 60_000);

test("writing and collecting at the same time lose nothing", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 12 }), async (steps) => {
      const store = directoryStore(mkdtempSync(join(parent, "store-")));
      const lineages = lineagesIn(store);
      const held = new Held();
      const kept = steps.filter((one) => one.do !== "release");
      await Promise.all(kept.map((next, index) => take(lineages, held, next, `k${index}`)));
      expect(await lineages.use(LINEAGE, (lineage) => readAll(lineage))).toEqual([...held.references].toSorted());
      await checkStore(store, held);
    }),
    { numRuns: 15 },
  );
}, 60_000);

test("a store that fails says nothing of what is there: nothing is removed", async () => {
  const store = directoryStore(mkdtempSync(join(parent, "store-")));
  const lineages = lineagesIn(store);
  const held = new Held();
  await take(lineages, held, { do: "keep", conversation: "one", files: [1, 2] }, "k1");
  const paths = await store.list("");
  const unknown = async () => Promise.reject(new Error("no answer"));
  await expect(collectCheckpoints(lineages, unknown)).rejects.toThrow("no answer");
  expect(await store.list("")).toEqual(paths);
});
