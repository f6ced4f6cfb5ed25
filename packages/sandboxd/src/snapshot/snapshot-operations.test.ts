import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeTree, randomEdits, randomNumbers, setPlainTimes } from "../testing/random-tree.ts";
import { CALL, directoriesFirst, fill, place, restore, RULES, take } from "../testing/snapshot-place.ts";
import { objectName } from "./objects/object-writer.ts";
import { snapshotOperations } from "./snapshot-operations.ts";

describe("snapshots", () => {
  test.each(Array.from({ length: 12 }, (_, seed) => seed))(
    "bring back random trees exactly after random edits (seed %i)",
    async (seed) => {
      const random = randomNumbers(seed);
      const { workspace, operations } = place();
      randomEdits(workspace, random, 60);
      setPlainTimes(workspace, random);
      const first = await take(operations, null);
      const before = describeTree(workspace);
      randomEdits(workspace, random, 60);
      setPlainTimes(workspace, random);
      const second = await take(operations, first.root);
      const after = describeTree(workspace);

      const back = await restore(operations, first.root, first.frames);
      expect(back).toMatchObject({ needed: [], failed: [] });
      expect(describeTree(workspace)).toEqual(before);
      expect((await take(operations, first.root)).root).toBe(first.root);

      const forth = await restore(operations, second.root, Buffer.concat([first.frames, second.frames]));
      expect(forth).toMatchObject({ needed: [], failed: [] });
      expect(describeTree(workspace)).toEqual(after);

      const elsewhere = place();
      await restore(elsewhere.operations, second.root, Buffer.concat([first.frames, second.frames]));
      expect(describeTree(elsewhere.workspace)).toEqual(after);

      const filled = place();
      const { all, piecesAt } = directoriesFirst(Buffer.concat([first.frames, second.frames]));
      const cuts = Array.from({ length: 5 }, () => piecesAt + random(all.length - piecesAt)).sort((a, b) => a - b);
      await fill(filled.operations, second.root, all, [piecesAt, ...cuts, all.length]);
      const done = await filled.operations["snapshot.restore"]({ root: second.root, ...RULES }, CALL);
      expect(done).toMatchObject({ needed: [], failed: [] });
      expect(describeTree(filled.workspace)).toEqual(after);
    },
  );

  test("read only what has changed, and send only what is new", async () => {
    const { workspace, operations } = place();
    mkdirSync(join(workspace, "d"));
    for (let file = 0; file < 50; file++) writeFileSync(join(workspace, "d", `f${file}`), `content ${file}`);
    const first = await take(operations, null);
    writeFileSync(join(workspace, "d", "f7"), "changed");
    const second = await take(operations, first.root);
    expect(first).toMatchObject({ files: 50, newObjects: 52 });
    // The file, its directory and the root, whose directory keeps its time.
    expect(second).toMatchObject({ files: 50, newObjects: 3 });
    expect((await take(operations, second.root)).newObjects).toBe(0);
    expect((await take(operations, null)).newObjects).toBe(52);
  });

  test("see a change of the same size within the clock's step", async () => {
    const { workspace, operations } = place();
    writeFileSync(join(workspace, "f"), "one");
    const first = await take(operations, null);
    writeFileSync(join(workspace, "f"), "two");
    expect((await take(operations, first.root)).root).not.toBe(first.root);
  });

  test("leave out large files, caches and sockets, list them, and leave them alone when restored", async () => {
    const { workspace, operations } = place();
    writeFileSync(join(workspace, "small"), "small");
    const first = await take(operations, null);
    writeFileSync(join(workspace, "large"), Buffer.alloc(200_000));
    mkdirSync(join(workspace, "target"));
    writeFileSync(join(workspace, "target", "CACHEDIR.TAG"), "Signature: 8a477f597d28d172789f06886806bc55\n");
    writeFileSync(join(workspace, "target", "object"), "object");
    writeFileSync(join(workspace, "other"), "other");
    const second = await take(operations, first.root);
    expect(second.leftOut).toEqual([
      { path: "large", reason: "large", bytes: 200_000 },
      { path: "target", reason: "cache", bytes: 0 },
    ]);
    await restore(operations, first.root, first.frames);
    expect(readdirSync(workspace).sort()).toEqual(["large", "small", "target"]);
    expect(readdirSync(join(workspace, "target")).sort()).toEqual(["CACHEDIR.TAG", "object"]);
  });

  test("do not write over a file that has grown too large to be in one, and say so", async () => {
    const { workspace, operations } = place();
    for (const name of ["f", "g"]) writeFileSync(join(workspace, name), "small");
    const first = await take(operations, null);
    writeFileSync(join(workspace, "f"), Buffer.alloc(200_000));
    writeFileSync(join(workspace, "g"), "changed");
    const { failed } = await restore(operations, first.root, first.frames);
    expect(failed).toEqual(["f: what is there is in no snapshot, and stays"]);
    expect(readFileSync(join(workspace, "f"))).toHaveLength(200_000);
    expect(readFileSync(join(workspace, "g"), "utf8")).toBe("small");
  });

  test("leave out what would bring the sum over its limit", async () => {
    const { workspace, operations } = place();
    writeFileSync(join(workspace, "a"), "x".repeat(60));
    writeFileSync(join(workspace, "b"), "x".repeat(60));
    const taken = await take(operations, null, { maxFileBytes: 100, maxTotalBytes: 100 });
    expect(taken).toMatchObject({ bytes: 60, leftOut: [{ path: "b", reason: "total", bytes: 60 }], leftOutCount: 1 });
  });

  test("cut files into pieces and bring them back whole", async () => {
    const { workspace, operations } = place();
    const content = Buffer.alloc(9_000_000, "abcdefg");
    writeFileSync(join(workspace, "big"), content);
    const rules = { maxFileBytes: 10_000_000, maxTotalBytes: 20_000_000 };
    const first = await take(operations, null, rules);
    rmSync(join(workspace, "big"));
    await restore(operations, first.root, first.frames, rules);
    expect(readFileSync(join(workspace, "big")).equals(content)).toBe(true);
  });

  test("say which objects are missing and change nothing", async () => {
    const { workspace, operations } = place();
    writeFileSync(join(workspace, "f"), "one");
    const first = await take(operations, null);
    writeFileSync(join(workspace, "f"), "two, changed");
    const answer = await restore(operations, first.root, Buffer.alloc(0));
    expect(answer).toMatchObject({ needed: [objectName("blob", Buffer.from("one"))], written: 0, removed: 0 });
    expect(readFileSync(join(workspace, "f"), "utf8")).toBe("two, changed");
  });

  test("write nothing through links that took a directory's place", async () => {
    const { workspace, state, operations } = place();
    mkdirSync(join(workspace, "d"));
    writeFileSync(join(workspace, "d", "f"), "inside");
    const first = await take(operations, null);
    rmSync(join(workspace, "d"), { recursive: true });
    mkdirSync(join(state, "outside"));
    writeFileSync(join(state, "outside", "f"), "outside");
    symlinkSync(join(state, "outside"), join(workspace, "d"));
    await restore(operations, first.root, first.frames);
    expect(readFileSync(join(state, "outside", "f"), "utf8")).toBe("outside");
    expect(readFileSync(join(workspace, "d", "f"), "utf8")).toBe("inside");
  });

  test("go on after sandboxd starts anew", async () => {
    const { workspace, state, operations } = place();
    writeFileSync(join(workspace, "f"), "one");
    chmodSync(join(workspace, "f"), 0o640);
    const first = await take(operations, null);
    await expect.poll(() => readdirSync(state)).toContain("snapshot.json");
    const anew = snapshotOperations({ workspace }, state);
    expect(await take(anew, first.root)).toMatchObject({ root: first.root, newObjects: 0 });
  });

  test("need no directory that they left a moment ago, and believe no file about it", async () => {
    const { workspace, state, operations } = place();
    mkdirSync(join(workspace, "d"));
    writeFileSync(join(workspace, "d", "f"), "one");
    setPlainTimes(workspace, randomNumbers(1));
    const first = await take(operations, null);
    chmodSync(join(workspace, "d"), 0o700);
    await expect.poll(() => readdirSync(state)).toContain("snapshot.json");
    const kept = join(state, "snapshot.json");
    writeFileSync(kept, readFileSync(kept, "utf8").replaceAll(",493,", ",511,"));
    const anew = snapshotOperations({ workspace }, state);
    expect((await restore(anew, first.root, Buffer.alloc(0))).needed).toEqual([first.root]);
    expect(await restore(operations, first.root, Buffer.alloc(0))).toMatchObject({ needed: [], failed: [] });
    expect((await take(operations, null)).root).toBe(first.root);
  });

  test("take objects in parts that are cut anywhere, also by a sandboxd that starts anew between two", async () => {
    const { workspace, operations } = place();
    for (let file = 0; file < 20; file++) writeFileSync(join(workspace, `f${file}`), `content ${file} `.repeat(20));
    setPlainTimes(workspace, randomNumbers(1));
    const { root, frames } = await take(operations, null);
    const before = describeTree(workspace);
    const elsewhere = place();
    const half = frames.subarray(0, 1234);
    let size = 0;
    for (const byte of [half.subarray(0, 5), half.subarray(5)]) {
      ({ size } = await elsewhere.operations["snapshot.put"]({ offset: size, data: byte }, CALL));
    }
    const anew = snapshotOperations({ workspace: elsewhere.workspace }, elsewhere.state);
    const rest = { offset: size, data: frames.subarray(size) };
    expect(await anew["snapshot.put"](rest, CALL)).toEqual({ size: frames.length });
    expect(await anew["snapshot.restore"]({ root, ...RULES }, CALL)).toMatchObject({ written: 20, failed: [] });
    expect(describeTree(elsewhere.workspace)).toEqual(before);
  });

  test("refuse objects that are none", async () => {
    const { operations } = place();
    await expect(restore(operations, "0".repeat(64), Buffer.from("not a frame at all"))).rejects.toMatchObject({
      code: "checkpoint_invalid",
    });
  });
});
