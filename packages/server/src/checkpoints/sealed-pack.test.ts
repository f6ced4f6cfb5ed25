import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { directoryStore } from "@handrail/checkpoints/directory-store";
import { encodeObjectFrame } from "@handrail/protocol/sandboxd/object-frames";
import { afterAll, expect, test } from "vitest";
import { Lineage, type NamedFrame } from "./lineage.ts";
import { nameOf } from "./object-content.ts";
import { storedBytes, type StoredObject } from "./object-index.ts";
import { lineageSeal } from "./seal.ts";
import { ChunkOpener, sealPack } from "./sealed-pack.ts";

const directory = mkdtempSync(join(tmpdir(), "handrail-pack-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const KEY = Buffer.alloc(32, 1);

function frameOf(data: Buffer): NamedFrame {
  const frame = encodeObjectFrame({ kind: "blob", packed: false, size: data.length, data });
  return { name: nameOf("blob", data), kind: "blob", size: data.length, frame };
}

/** Small ones, large ones, and again small ones. */
const SIZES = [...Array.from({ length: 1500 }, (_, at) => at), 300_000, 65_536, 0, 1, 200_000, 7];
const DATA = SIZES.map((size, at) => Buffer.alloc(size + 4, `${at}.`));

/** All contents by name, read in the given order. */
async function contents(lineage: Lineage, names: readonly string[]): Promise<Map<string, string>> {
  return new Map(Array.from(await lineage.blobs(names), ([name, bytes]) => [name, bytes.toString()]));
}

const EXPECTED = new Map(DATA.map((data) => [nameOf("blob", data), data.toString()]));

test("objects of all sizes come back, in any number, also by a server that starts anew, from few bundles", async () => {
  const lineage = new Lineage("sizes", directoryStore(directory), KEY);
  const objects = await lineage.putPack(DATA.map(frameOf));
  await lineage.addIndex(objects);
  const anew = new Lineage("sizes", directoryStore(directory), KEY);
  expect(new Map(await anew.objects())).toEqual(objects);
  expect(await contents(anew, [...EXPECTED.keys()])).toEqual(EXPECTED);
  for (const name of [...EXPECTED.keys()].filter((_, at) => at % 97 === 0)) {
    expect(await contents(anew, [name])).toEqual(new Map([[name, EXPECTED.get(name)]]));
  }
  const chunks = new Set(Array.from(objects.values(), ({ offset }) => offset));
  expect(chunks.size).toBeLessThan(40);
  // The last is small, and alone.
  expect(Array.from(objects.values(), ({ inside }) => inside?.bundled === true)).toEqual(
    DATA.map((_, at) => at < DATA.length - 1),
  );
  const frames = DATA.map(frameOf).reduce((sum, { frame }) => sum + frame.length, 0);
  const taken = await storedBytes(objects.values());
  expect(taken).toBeLessThan(frames / 20);
  const [pack = ""] = await directoryStore(directory).list("sizes/packs/");
  expect((await directoryStore(directory).get(pack)).length).toBe(taken);
});

test("what does not get smaller, and what is compressed already, is in no bundle", async () => {
  const lineage = new Lineage("dense", directoryStore(directory), KEY);
  const dense = frameOf(randomBytes(5000));
  const data = zstdCompressSync(Buffer.alloc(90_000, 1));
  const packed = encodeObjectFrame({ kind: "blob", packed: true, size: 90_000, data });
  const alone = { name: nameOf("blob", Buffer.alloc(90_000, 1)), kind: "blob", size: 90_000, frame: packed } as const;
  for (const frame of [dense, alone]) await lineage.addIndex(await lineage.putPack([frame]));
  const objects = await new Lineage("dense", directoryStore(directory), KEY).objects();
  expect(Array.from(objects.values(), ({ inside }) => inside)).toEqual(
    expect.arrayContaining([dense, alone].map(({ frame }) => ({ at: 0, bytes: frame.length }))),
  );
  expect((await lineage.blobs([alone.name])).get(alone.name)).toEqual(Buffer.alloc(90_000, 1));
});

test("a bundle is handed on whole where half of it is wanted, and else its objects alone", async () => {
  const lineage = new Lineage("bundles", directoryStore(directory), KEY);
  const frames = Array.from({ length: 10 }, (_, at) => frameOf(Buffer.alloc(1000, `${at}.`)));
  await lineage.addIndex(await lineage.putPack(frames));
  const sent = async (count: number) => {
    const found = [];
    for await (const some of lineage.bundles(frames.slice(0, count).map(({ name }) => name))) found.push(...some);
    return found;
  };
  expect(await sent(4)).toEqual(frames.slice(0, 4).map(({ name, frame }) => ({ name, frame: Buffer.from(frame) })));
  const [bundle, ...more] = await sent(5);
  expect(more).toEqual([]);
  expect(bundle).toMatchObject({
    kind: "bundle",
    size: 10_100,
    objects: frames.slice(0, 5).map(({ name }, at) => ({ name, at: at * 1010, bytes: 1010 })),
  });
  if (bundle === undefined || !("data" in bundle)) throw new Error("no bundle");
  expect(zstdDecompressSync(bundle.data)).toEqual(Buffer.concat(frames.map(({ frame }) => frame)));
});

test("of several bundles that are read together each is handed on by itself", async () => {
  const lineage = new Lineage("several", directoryStore(directory), KEY);
  const frames = Array.from({ length: 5 }, (_, at) => frameOf(Buffer.alloc(50_000, `${at}.`)));
  await lineage.addIndex(await lineage.putPack(frames));
  const objects = [];
  for await (const some of lineage.bundles(frames.map(({ name }) => name))) {
    for (const found of some) if ("objects" in found) objects.push(found.objects.map(({ at }) => at));
  }
  expect(objects).toEqual([[0, 50_010], [0, 50_010], [0]]);
});

test("a chunk opens at its own place of its own pack alone, and as it is alone", async () => {
  const seal = lineageSeal(KEY, "l");
  const frames = [frameOf(randomBytes(70_000)), frameOf(randomBytes(70_000))];
  const { bytes, objects } = await sealPack(seal, "pack", frames);
  const [first, second] = [...objects.values()] as [StoredObject, StoredObject];
  const sealed = (object: StoredObject) => bytes.subarray(object.offset, object.offset + object.length);
  expect(new ChunkOpener(seal).frame("", first, sealed(first)).equals(frames[0]!.frame)).toBe(true);
  const changed = Buffer.from(sealed(first));
  changed[500]! ^= 1;
  for (const [object, from] of [
    [first, sealed(second)],
    [{ ...first, pack: "other" }, sealed(first)],
    [first, changed],
  ] as const) {
    const open = () => new ChunkOpener(seal).frame("", object, from);
    expect(open).toThrow(expect.objectContaining({ code: "checkpoint_damaged" }));
  }
});

test("a bundle that does not unpack to the size that it says is damaged", async () => {
  const seal = lineageSeal(KEY, "l");
  const { objects } = await sealPack(seal, "pack", [frameOf(Buffer.alloc(9000, 1))]);
  const [object] = [...objects.values()] as [StoredObject];
  const says = (size: number) => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(size);
    const sealed = seal.seal("pack 0", Buffer.concat([head, zstdCompressSync(Buffer.alloc(9010))]));
    return () => new ChunkOpener(seal).frame("", object, sealed);
  };
  expect(says(9010)()).toHaveLength(9010);
  for (const size of [9009, 9011]) {
    expect(says(size)).toThrow(expect.objectContaining({ code: "checkpoint_damaged" }));
  }
});

/** As servers wrote it before. */
function olderIndex(objects: ReadonlyMap<string, StoredObject>): Buffer {
  const rows = Array.from(objects, ([name, { size, offset, length, inside }]) => {
    const place = [name, "b", size, 0, offset, length];
    return inside === undefined ? place : [...place, inside.at, inside.bytes];
  });
  return Buffer.from(JSON.stringify({ packs: ["older/packs/a"], objects: rows }));
}

test("packs without bundles, and packs in which each object is encrypted alone, are read beside newer ones", async () => {
  const store = directoryStore(directory);
  const seal = lineageSeal(KEY, "older");
  const parts: Buffer[] = [];
  const objects = new Map<string, StoredObject>();
  let offset = 0;
  for (const { name, kind, size, frame } of DATA.slice(0, 700).map(frameOf)) {
    const sealed = seal.seal(name, frame);
    objects.set(name, { kind, size, pack: "older/packs/a", offset, length: sealed.length });
    parts.push(sealed);
    offset += sealed.length;
  }
  const chunk = DATA.slice(700, 800).map(frameOf);
  const sealed = seal.seal(`older/packs/a ${offset}`, Buffer.concat(chunk.map(({ frame }) => frame)));
  let at = 0;
  for (const { name, kind, size, frame } of chunk) {
    const inside = { at, bytes: frame.length };
    objects.set(name, { kind, size, pack: "older/packs/a", offset, length: sealed.length, inside });
    at += frame.length;
  }
  parts.push(sealed);
  await store.put("older/packs/a", Buffer.concat(parts));
  await store.put("older/indexes/a", seal.seal("older/indexes/a", olderIndex(objects)));
  const lineage = new Lineage("older", store, KEY);
  await lineage.addIndex(await lineage.putPack(DATA.slice(800).map(frameOf)));
  const anew = new Lineage("older", store, KEY);
  expect(await contents(anew, [...EXPECTED.keys()])).toEqual(EXPECTED);
});
