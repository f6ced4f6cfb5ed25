import { zstdCompressSync } from "node:zlib";
import { type Bundle, bundleHeadBytes, writeBundle } from "@handrail/protocol/sandboxd/bundles";
import { expect, test } from "vitest";
import { BLOB, BYTES, file, plain, receiveFixture, type Said, treeOf } from "../testing/receive-fixture.ts";
import { nameOf } from "./object-content.ts";

const { newLineage, receive } = receiveFixture();

/** Frames as a bundle, which says these names and this size. */
function bundled(frames: readonly Uint8Array[], says: Partial<Pick<Bundle, "size" | "objects">> = {}): Uint8Array {
  const all = Buffer.concat(frames);
  const bundle: Bundle = { kind: "bundle", size: all.length, data: zstdCompressSync(all), objects: [], ...says };
  const bytes = new Uint8Array(bundleHeadBytes(bundle) + bundle.data.length);
  writeBundle(bytes, 0, bundle);
  return bytes;
}

const PIECES = Array.from({ length: 30 }, (_, at) => Buffer.alloc(500, `${at}.`));
const inBundle = (bundle: Uint8Array): Said => {
  const files = PIECES.map((data, at) => file(`f${at + 10}`, { size: 500, blobs: [nameOf("blob", data)] }));
  return { frames: [bundle, plain("tree", treeOf(files))], root: nameOf("tree", treeOf(files)) };
};
const PLAIN_PIECES = PIECES.map((data) => plain("blob", data));

test("pieces that come in bundles are stored as others are", async () => {
  const lineage = newLineage();
  expect((await receive(inBundle(bundled(PLAIN_PIECES)), lineage)).outcome).toEqual({ files: 30, bytes: 15_000 });
  expect(await lineage.blobs(PIECES.map((data) => nameOf("blob", data)))).toEqual(
    new Map(PIECES.map((data) => [nameOf("blob", data), data])),
  );
});

test.each<[string, Uint8Array]>([
  ["says names", bundled(PLAIN_PIECES, { objects: [{ name: BLOB, at: 0, bytes: 10 }] })],
  ["unpacks to more than it says", bundled(PLAIN_PIECES, { size: 15_299 })],
  ["unpacks to less than it says", bundled(PLAIN_PIECES, { size: 15_301 })],
  ["unpacks to far more than it says", bundled([Buffer.alloc(50_000_000)], { size: 60_000 })],
  ["ends in the middle of an object", bundled([...PLAIN_PIECES, plain("blob", BYTES).subarray(0, 12)])],
  ["holds a bundle", bundled([...PLAIN_PIECES, bundled(PLAIN_PIECES)])],
  ["holds no frames", bundled([Buffer.alloc(2000, 7)])],
])("a bundle that %s is refused, and nothing is kept", async (_, bundle) => {
  const { outcome, indexes } = await receive(inBundle(bundle));
  expect(outcome).toMatch(/^checkpoint_invalid: /);
  expect(indexes).toEqual([]);
});

test("what bundles unpack to counts as what the snapshot has", async () => {
  const zeros = bundled(Array.from({ length: 10 }, () => plain("blob", Buffer.alloc(100_000))));
  const frames = Array.from({ length: 3 }, () => zeros);
  const more = { maxBytes: 2_900_000 };
  const { outcome } = await receive({ ...inBundle(zeros), frames }, newLineage(), more);
  expect(outcome).toBe("checkpoint_invalid: The snapshot is larger than it may be.");
});

test("more pieces than a snapshot can have are refused, in bundles too, where they hardly take a byte", async () => {
  const said = inBundle(bundled(PLAIN_PIECES));
  expect((await receive(said, newLineage(), { maxObjects: 31 })).outcome).toEqual({ files: 30, bytes: 15_000 });
  expect(await receive(said, newLineage(), { maxObjects: 30 })).toEqual({
    outcome: "checkpoint_invalid: The snapshot has too many pieces.",
    indexes: [],
  });
});
