import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { directoryStore } from "@handrail/checkpoints/directory-store";
import { encodeObjectFrame } from "@handrail/protocol/sandboxd/object-frames";
import { afterAll, expect, test } from "vitest";
import { Lineage, type NamedFrame, nameOf } from "./lineage.ts";
import { encodeIndex, storedBytes, type StoredObject } from "./object-index.ts";
import { lineageSeal } from "./seal.ts";
import { chunkOpener, sealPack } from "./sealed-pack.ts";

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

test("objects of all sizes come back, in any number, also by a server that starts anew, from few chunks", async () => {
  const lineage = new Lineage("sizes", directoryStore(directory), KEY);
  const objects = await lineage.putPack(DATA.map(frameOf));
  await lineage.addIndex(objects);
  const anew = new Lineage("sizes", directoryStore(directory), KEY);
  expect(await anew.objects()).toEqual(objects);
  expect(await contents(anew, [...EXPECTED.keys()])).toEqual(EXPECTED);
  for (const name of [...EXPECTED.keys()].filter((_, at) => at % 97 === 0)) {
    expect(await contents(anew, [name])).toEqual(new Map([[name, EXPECTED.get(name)]]));
  }
  const chunks = new Set(Array.from(objects.values(), ({ offset }) => offset));
  expect(chunks.size).toBeLessThan(40);
  const frames = DATA.map(frameOf).reduce((sum, { frame }) => sum + frame.length, 0);
  expect(Array.from(objects.values(), storedBytes).reduce((sum, bytes) => sum + bytes, 0)).toBe(frames);
});

test("a chunk opens at its own place of its own pack alone, and as it is alone", () => {
  const seal = lineageSeal(KEY, "l");
  const frames = [frameOf(Buffer.alloc(70_000, 1)), frameOf(Buffer.alloc(70_000, 2))];
  const { bytes, objects } = sealPack(seal, "pack", frames);
  const [first, second] = [...objects.values()] as [StoredObject, StoredObject];
  const sealed = (object: StoredObject) => bytes.subarray(object.offset, object.offset + object.length);
  expect(chunkOpener(seal)("", first, sealed(first)).equals(frames[0]!.frame)).toBe(true);
  const changed = Buffer.from(sealed(first));
  changed[500]! ^= 1;
  for (const [object, from] of [
    [first, sealed(second)],
    [{ ...first, pack: "other" }, sealed(first)],
    [first, changed],
  ] as const) {
    expect(() => chunkOpener(seal)("", object, from)).toThrow(expect.objectContaining({ code: "checkpoint_damaged" }));
  }
});

test("packs in which each object is encrypted alone are read too, beside newer ones", async () => {
  const store = directoryStore(directory);
  const seal = lineageSeal(KEY, "older");
  const parts: Buffer[] = [];
  const objects = new Map<string, StoredObject>();
  let offset = 0;
  for (const { name, kind, size, frame } of DATA.slice(0, 800).map(frameOf)) {
    const sealed = seal.seal(name, frame);
    objects.set(name, { kind, size, pack: "older/packs/a", offset, length: sealed.length });
    parts.push(sealed);
    offset += sealed.length;
  }
  await store.put("older/packs/a", Buffer.concat(parts));
  await store.put("older/indexes/a", seal.seal("older/indexes/a", encodeIndex(objects)));
  const lineage = new Lineage("older", store, KEY);
  await lineage.addIndex(await lineage.putPack(DATA.slice(800).map(frameOf)));
  const anew = new Lineage("older", store, KEY);
  expect(await contents(anew, [...EXPECTED.keys()])).toEqual(EXPECTED);
});
