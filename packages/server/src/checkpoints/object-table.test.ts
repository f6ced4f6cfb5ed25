import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeIndex, encodeIndexes, INDEX_OBJECTS, type StoredObject } from "./object-index.ts";
import { ObjectTable } from "./object-table.ts";

const nameOf = (number: number) => createHash("sha256").update(String(number)).digest("hex");
const word = fc.oneof(fc.nat(), fc.constantFrom(0, 0xffffffff, 0x80000000));
const place = fc.record({ at: word, bytes: word });
const inside = fc.option(fc.oneof(place, fc.record({ at: word, bytes: word, bundled: fc.constant(true as const) })), {
  nil: undefined,
});
const object = fc
  .record({
    kind: fc.constantFrom("tree" as const, "blob" as const),
    size: word,
    pack: fc.constantFrom("a", "b", "c"),
    offset: word,
    length: word,
    inside,
  })
  .map(({ inside: where, ...whole }): StoredObject => (where === undefined ? whole : { ...whole, inside: where }));
const sets = fc.array(fc.tuple(fc.nat(400).map(nameOf), object), { maxLength: 600, size: "max" });

test("objects are found as a map finds them, in the order in which they were set first", () => {
  fc.assert(
    fc.property(sets, (pairs) => {
      const [table, map] = [new ObjectTable(), new Map<string, StoredObject>()];
      for (const [name, one] of pairs) {
        table.set(name, one);
        map.set(name, one);
      }
      expect([...table]).toEqual([...map]);
      expect([table.size, [...table.keys()], [...table.values()]]).toEqual([
        map.size,
        [...map.keys()],
        [...map.values()],
      ]);
      for (let number = 0; number <= 400; number++) {
        const name = nameOf(number);
        expect([table.has(name), table.get(name)]).toEqual([map.has(name), map.get(name)]);
      }
    }),
    { numRuns: 30, seed: 1 },
  );
});

test("a name that is no SHA-256 is not there, and cannot be", () => {
  const table = new ObjectTable([[nameOf(1), { kind: "blob", size: 1, pack: "a", offset: 0, length: 1 }]]);
  for (const name of ["", "a", nameOf(1).slice(1), `${nameOf(1)}0`, "g".repeat(64)]) {
    expect(table.get(name)).toBeUndefined();
    expect(() => table.set(name, { kind: "blob", size: 1, pack: "a", offset: 0, length: 1 })).toThrow(RangeError);
  }
  expect(table.size).toBe(1);
});

test("a hundred thousand objects take less than ten megabytes, and all are found", () => {
  const names = Array.from({ length: 100_000 }, (_, number) => nameOf(number));
  const before = process.memoryUsage().arrayBuffers;
  const table = new ObjectTable();
  for (const [size, name] of names.entries()) table.set(name, { kind: "blob", size, pack: "p", offset: 1, length: 2 });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
  expect(names.findIndex((name, at) => table.get(name)?.size !== at)).toBe(-1);
});

test("indexes give the objects that they were written of, in as many as they need", async () => {
  const one: StoredObject = { kind: "tree", size: 7, pack: "packs/é", offset: 1, length: 2 };
  const objects = new Map(Array.from({ length: INDEX_OBJECTS + 1 }, (_, number) => [nameOf(number), one] as const));
  const last = { ...one, kind: "blob", inside: { at: 3, bytes: 4, bundled: true } } as const;
  objects.set(nameOf(INDEX_OBJECTS), last);
  const table = new ObjectTable();
  let indexes = 0;
  for await (const bytes of encodeIndexes(objects)) {
    await decodeIndex(bytes, table);
    indexes += 1;
  }
  expect([indexes, table.size, table.get(nameOf(5)), table.get(nameOf(INDEX_OBJECTS))]).toEqual([
    2,
    objects.size,
    one,
    last,
  ]);
});
