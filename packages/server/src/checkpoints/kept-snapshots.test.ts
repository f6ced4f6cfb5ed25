import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { directoryStore } from "@handrail/checkpoints/directory-store";
import { createJournal } from "@handrail/core/journal";
import { sampleCreated } from "@handrail/core/testing/log-samples";
import { memoryLogStore } from "@handrail/core/testing/memory-log-store";
import { scriptedSandbox } from "@handrail/core/testing/scripted-sandbox";
import { encodeObjectFrame } from "@handrail/protocol/sandboxd/object-frames";
import { encodeTree } from "@handrail/protocol/snapshots";
import { afterAll, expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { keptSnapshots, type Place, type SnapshotMover } from "./kept-snapshots.ts";
import { nameOf } from "./object-content.ts";
import { lineagesOf } from "./lineages.ts";
import type { Received } from "./receive.ts";

const directory = mkdtempSync(join(tmpdir(), "handrail-steps-"));
afterAll(() => rmSync(directory, { recursive: true }));

const signal = new AbortController().signal;
const checkpointOf = (number: number) => `p_${String(number).padStart(20, "0")}`;

/** A workspace that is an empty directory with this time. */
function workspaceAt(moment: { time: number }): SnapshotMover {
  const take = async ({ lineage }: Place): Promise<Received> => {
    const data = encodeTree({ mode: 0o755, mtime: String(moment.time), entries: [] });
    const root = nameOf("tree", data);
    const frame = encodeObjectFrame({ kind: "tree", packed: false, size: data.length, data });
    const known = await lineage.objects();
    const fresh = known.has(root) ? [] : [{ name: root, kind: "tree" as const, size: data.length, frame }];
    if (fresh.length > 0) await lineage.addIndex(await lineage.putPack(fresh));
    return {
      root,
      files: 0,
      bytes: 0,
      newBytes: 0,
      newObjects: 0,
      packBytes: 0,
      durationMs: 0,
      leftOut: [],
      leftOutCount: 0,
    };
  };
  return {
    take,
    async takeIf(at, wanted) {
      const data = encodeTree({ mode: 0o755, mtime: String(moment.time), entries: [] });
      return (await wanted(nameOf("tree", data))) ? take(at) : undefined;
    },
    put: async () => ({ written: 0, removed: 0, failed: [] }),
  };
}

async function world(limits: Parameters<typeof keptSnapshots>[2], most?: number) {
  const store = directoryStore(mkdtempSync(join(directory, "store-")));
  const lineages = lineagesOf(async () => store, Buffer.alloc(32, 1), { lineage: most });
  const journal = await createJournal(memoryLogStore(), systemClock, sampleCreated());
  const { id } = journal.state;
  const moment = { time: 0 };
  const snapshots = keptSnapshots(lineages, workspaceAt(moment), limits);
  const commit = (checkpointId: string, snapshot: Awaited<ReturnType<typeof snapshots.keep>>) =>
    journal.commit(() => [{ type: "workspace.checkpointed", checkpointId, tree: "", changes: [], snapshot }]);
  const step = async (number: number, time: number, isStill = () => true, compare = async () => {}) => {
    moment.time = time;
    const wanted = { checkpointId: checkpointOf(number), asOf: number, isStill, compare };
    const snapshot = await snapshots.keepStep(journal.state, scriptedSandbox(), wanted, signal);
    if (snapshot !== undefined) await commit(checkpointOf(number), snapshot);
    return snapshot?.root;
  };
  const keep = async (number: number, time: number) => {
    moment.time = time;
    const wanted = { checkpointId: checkpointOf(number), reason: "user" as const };
    await commit(checkpointOf(number), await snapshots.keep(journal.state, scriptedSandbox(), wanted, signal));
  };
  const held = () => lineages.heldBy(journal.state.snapshots.lineage, id);
  const forget = (number: number) => snapshots.forgetStep(journal.state, checkpointOf(number));
  const rootNow = (time: number) => {
    moment.time = time;
    return snapshots.rootNow(journal.state, scriptedSandbox(), signal);
  };
  return { store, lineages, journal, step, keep, rootNow, held, forget };
}

test("a step that changed nothing keeps nothing, and neither does one whose files are no longer so", async () => {
  const { step, store, held } = await world({ steps: 5, indexes: 5 });
  expect(await step(1, 1)).toEqual(expect.any(String));
  const stored = await store.list("");
  expect([await step(2, 1), await step(3, 2, () => false)]).toEqual([undefined, undefined]);
  expect(await store.list("")).toEqual(stored);
  expect([...(await held())]).toEqual([checkpointOf(1)]);
});

test("what would be kept now is told, and nothing is", async () => {
  const { step, rootNow, store } = await world({ steps: 5, indexes: 5 });
  const kept = await step(1, 1);
  const stored = await store.list("");
  expect([await rootNow(1), await rootNow(2)]).toEqual([kept, expect.not.stringMatching(kept ?? "")]);
  expect(await store.list("")).toEqual(stored);
});

test("what else is told of a step's files is looked at while they count, and only of those that are new", async () => {
  const { step, held } = await world({ steps: 5, indexes: 5 });
  const looks: number[] = [];
  let calls = 0;
  const kept = [
    await step(
      1,
      1,
      () => calls === 0,
      async () => void looks.push(1),
    ),
    await step(
      2,
      1,
      () => calls === 0,
      async () => void looks.push(2),
    ),
    // A call begins while they are looked at.
    await step(
      3,
      3,
      () => calls === 0,
      async () => void (calls += looks.push(3)),
    ),
  ];
  expect([kept, looks]).toEqual([
    [expect.any(String), undefined, undefined],
    [1, 3],
  ]);
  expect([...(await held())]).toEqual([checkpointOf(1)]);
});

test("a lineage with most of the objects that it takes lets go of steps, and then refuses more", async () => {
  const { step, keep, held, lineages, journal } = await world({ steps: 100, indexes: 100 }, 8);
  for (let number = 1; number <= 7; number++) await step(number, number);
  expect((await held()).size).toBe(7);
  await step(8, 8);
  expect([...(await held())]).toEqual([7, 8].map(checkpointOf));
  for (let number = 9; number <= 15; number++) await keep(number, number);
  await expect(keep(16, 16)).rejects.toMatchObject({ code: "limit_reached" });
  expect([...(await held())].toSorted()).toEqual([8, 9, 10, 11, 12, 13, 14, 15].map(checkpointOf));
  expect(await lineages.use(journal.state.snapshots.lineage, async (one) => (await one.objects()).size)).toBe(8);
});

test("of checkpoints after steps the newest stay, others all do, and what they pushed out gives its room back", async () => {
  const { step, keep, held, lineages, store, journal } = await world({ steps: 3, indexes: 4 });
  await keep(1, 1);
  for (let number = 2; number <= 20; number++) await step(number, number);
  expect([...(await held())]).toEqual([1, 18, 19, 20].map(checkpointOf));
  const { lineage } = journal.state.snapshots;
  const objects = await lineages.use(lineage, async (one) => (await one.objects()).size);
  expect(objects).toBeLessThan(10);
  expect((await store.list(`${lineage}/packs/`)).length).toBeLessThan(10);
  expect((await store.list(`${lineage}/indexes/`)).length).toBeLessThanOrEqual(5);
});

test("a step's checkpoint that is forgotten is not one of the newest; others are not forgotten as one", async () => {
  const { step, keep, forget, held } = await world({ steps: 2, indexes: 100 });
  await keep(1, 1);
  for (const number of [2, 3]) await step(number, number);
  for (const number of [1, 3, 7]) await forget(number);
  await step(4, 4);
  expect([...(await held())]).toEqual([1, 2, 4].map(checkpointOf));
});

test("the checkpoint that the workspace would come back from stays, whatever the clock says", async () => {
  const { step, held } = await world({ steps: 2, indexes: 100 });
  await step(50, 50);
  for (const number of [1, 2, 3]) await step(number, number);
  // Had the event of the last not been written, the one before would be the latest.
  expect([...(await held())]).toEqual([2, 3, 50].map(checkpointOf));
});
