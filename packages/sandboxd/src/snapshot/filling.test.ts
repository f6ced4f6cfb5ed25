import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { objectFrames } from "@handrail/protocol/sandboxd/object-frames";
import { expect, test } from "vitest";
import { CALL, directoriesFirst, fill, place, restore, RULES, take } from "../testing/snapshot-place.ts";
import { randomNumbers, setPlainTimes } from "../testing/random-tree.ts";
import { ChangedPaths } from "../workspace/changed-paths.ts";
import { WrittenFiles } from "../workspace/written-files.ts";

/** A workspace of so many small files, and its snapshot. */
async function manyFiles(count: number) {
  const { workspace, operations } = place();
  for (let directory = 0; directory < 5; directory++) {
    mkdirSync(join(workspace, `d${directory}`));
    for (let file = directory; file < count; file += 5)
      writeFileSync(join(workspace, `d${directory}`, `f${file}`), `content ${file} `.repeat(1 + (file % 50)));
  }
  symlinkSync("d0/f0", join(workspace, "link"));
  setPlainTimes(workspace, randomNumbers(count));
  const { root, frames } = await take(operations, null);
  return { root, ...directoriesFirst(frames) };
}

test.each([
  { count: 50, by: "one thread" },
  { count: 1200, by: "two threads" },
])("a workspace of $count files is filled by $by while their pieces come", async ({ count }) => {
  const { root, all, piecesAt } = await manyFiles(count);
  const { workspace, operations } = place();
  const half = piecesAt + Math.floor((all.length - piecesAt) / 2);
  await fill(operations, root, all, [piecesAt, half]);
  await expect.poll(() => readdirSync(join(workspace, "d1")).length, { timeout: 10_000 }).toBeGreaterThan(0);
  const data = all.subarray(half);
  await operations["snapshot.put"]({ offset: half, data }, CALL);
  const done = await operations["snapshot.restore"]({ root, ...RULES }, CALL);
  expect(done).toEqual({ needed: [], written: count + 1, removed: 0, failed: [] });
  expect((await take(operations, null)).root).toBe(root);
});

test("it is begun anew when the server that was filling it went", async () => {
  const { root, all, piecesAt } = await manyFiles(1200);
  const { operations } = place();
  await fill(operations, root, all, [piecesAt, piecesAt + 5000]);
  await fill(operations, root, all, [piecesAt, all.length]);
  const done = await operations["snapshot.restore"]({ root, ...RULES }, CALL);
  expect(done).toMatchObject({ needed: [], failed: [] });
  expect((await take(operations, null)).root).toBe(root);
});

test("what is missing is said when not all pieces came, and is enough then", async () => {
  const { root, all, piecesAt } = await manyFiles(50);
  const { operations } = place();
  await fill(operations, root, all, [piecesAt]);
  const { needed } = await operations["snapshot.restore"]({ root, ...RULES }, CALL);
  expect(needed).toHaveLength(objectFrames().take(all.subarray(piecesAt)).length);
  await restore(operations, root, all);
  expect((await take(operations, null)).root).toBe(root);
});

test("files that were there before are not written over while pieces come", async () => {
  const { root, all, piecesAt } = await manyFiles(50);
  const { workspace, operations } = place();
  writeFileSync(join(workspace, "mine"), "mine");
  await fill(operations, root, all, [piecesAt, all.length]);
  expect(readdirSync(workspace)).toEqual(["mine"]);
  await operations["snapshot.restore"]({ root, ...RULES }, CALL);
  expect((await take(operations, null)).root).toBe(root);
});

test.each([
  { when: "nothing else was done since", untouched: true, replaced: 0, removed: 0 },
  { when: "something else was done", untouched: false, replaced: 0, removed: 1 },
  { when: "its files were replaced", untouched: true, replaced: 1, removed: 1 },
])("it is looked at again unless nothing was done: $when", async ({ untouched, replaced, removed }) => {
  const { root, all, piecesAt } = await manyFiles(50);
  let times = 0;
  const written = new WrittenFiles();
  const changed = new ChangedPaths();
  const around = { written, changed, isUntouched: () => untouched, replaced: () => times };
  const { workspace, operations } = place(around);
  await fill(operations, root, all, [piecesAt, all.length]);
  await operations["snapshot.restore"]({ root, ...RULES }, CALL);
  writeFileSync(join(workspace, "unseen"), "unseen");
  times = replaced;
  const again = await restore(operations, root, all);
  expect(again).toEqual({ needed: [], written: 0, removed, failed: [] });
});
