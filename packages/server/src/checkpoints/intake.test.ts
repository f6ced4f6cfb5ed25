import { zstdCompressSync } from "node:zlib";
import { type Bundle, bundleHeadBytes, writeBundle } from "@handrail/protocol/sandboxd/bundles";
import fc from "fast-check";
import { expect, test } from "vitest";
import { BYTES, file, folder, plain, receiveFixture, treeOf, withRoot } from "../testing/receive-fixture.ts";
import { compareTrees } from "./compare.ts";
import { Intake } from "./intake.ts";
import { contentOf, nameOf } from "./object-content.ts";

const { newLineage, receive } = receiveFixture();
const LIMITS = { bytes: 1e9, objects: 1e6, treeBytes: 1e6, entries: 1000, room: 1e6 };
const intakeOf = (more: Partial<typeof LIMITS> = {}) => new Intake(newLineage(), new Map(), { ...LIMITS, ...more });

function bundled(frames: readonly Uint8Array[]): Uint8Array {
  const all = Buffer.concat(frames);
  const bundle: Bundle = { kind: "bundle", size: all.length, data: zstdCompressSync(all), objects: [] };
  const bytes = new Uint8Array(bundleHeadBytes(bundle) + bundle.data.length);
  writeBundle(bytes, 0, bundle);
  return bytes;
}

test("directories are taken as far as all of them may be in memory at once", async () => {
  const trees = Array.from({ length: 10 }, (_, at) =>
    treeOf(Array.from({ length: 100 }, (__, of) => file(`${at}.${of + 100}`))),
  );
  const frames = Buffer.concat(trees.map((tree) => plain("tree", tree)));
  const bytes = trees.reduce((sum, { length }) => sum + length, 0);
  await intakeOf({ treeBytes: bytes, entries: 1000 }).take(frames);
  for (const less of [{ treeBytes: bytes - 1 }, { entries: 999 }]) {
    await expect(intakeOf(less).take(frames)).rejects.toThrow("The snapshot has too many files.");
  }
});

/** Turns that others get while something is done. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  const counting = setInterval(() => (turns += 1), 1);
  try {
    await work();
  } finally {
    clearInterval(counting);
  }
  return turns;
}

test("others get their turns while very many small pieces come that hardly take a byte", async () => {
  const part = bundled(Array.from({ length: 15_000 }, () => plain("blob", new Uint8Array(0))));
  expect(await turnsDuring(() => intakeOf().take(Buffer.concat([part, part])))).toBeGreaterThan(3);
});

test("others get their turns while one directory of very many entries comes, and is compared", async () => {
  const many = (mtime: string) =>
    treeOf(
      Array.from({ length: 60_000 }, (_, at) => ({ type: "pipe", name: String(100_000 + at), mode: 0o600, mtime })),
    );
  const [tree, other] = [many("0"), many("1")];
  const intake = intakeOf({ treeBytes: 1e8, entries: 1e6 });
  const [root, to] = [nameOf("tree", tree), nameOf("tree", other)];
  const taking = await turnsDuring(() => intake.take(Buffer.concat([plain("tree", tree), plain("tree", other)])));
  const trees = await intake.trees([root, to]);
  const comparing = await turnsDuring(() => compareTrees(root, to, (name) => trees.get(name)));
  expect({ taking: taking > 5, comparing: comparing > 3 }).toEqual({
    taking: true,
    comparing: true,
  });
});

/** Frames of a snapshot: two pieces, in a bundle and alone, and three directories. */
const inner = treeOf([file("a")]);
const outer = treeOf([folder("d", nameOf("tree", inner)), file("e"), { type: "twin", name: "f", of: "d/a" }]);
const honest = withRoot(outer, [
  bundled([plain("blob", BYTES), plain("blob", Buffer.alloc(99))]),
  plain("tree", inner),
]);
const WHOLE = Buffer.concat(honest.frames);

test("whatever a sandbox sends is stored under the names of its content, or refused, and then nothing counts", async () => {
  const change = fc.tuple(
    fc.nat(WHOLE.length - 1),
    fc.nat(12),
    fc.oneof(
      fc.uint8Array({ maxLength: 3 }),
      fc.constantFrom(
        ...[0, 1, 2, 3, 0xffffffff, 1 << 20].map((number) =>
          Buffer.from([number >>> 24, number >>> 16, number >>> 8, number]),
        ),
      ),
      fc.constantFrom(...honest.frames),
    ),
  );
  let stored = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 2 }), async (changes) => {
      let pack = WHOLE;
      for (const [at, length, put] of changes)
        pack = Buffer.concat([pack.subarray(0, at), put, pack.subarray(at + length)]);
      const lineage = newLineage();
      const { outcome, indexes } = await receive({ frames: [pack], root: honest.root }, lineage);
      if (typeof outcome === "string") {
        expect([outcome.split(":")[0], indexes]).toEqual(["checkpoint_invalid", []]);
        return;
      }
      stored += 1;
      expect(outcome).toEqual({ files: 2, bytes: 8 });
      for await (const some of lineage.frames((await lineage.objects()).keys())) {
        for (const { name, frame } of some) contentOf(name, frame);
      }
    }),
    { numRuns: 60, seed: 2 },
  );
  expect(stored).toBeGreaterThan(0);
});
