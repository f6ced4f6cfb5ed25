import type { ObjectKind } from "@handrail/protocol/snapshots";
import { z } from "zod";

/** Where an object is: its frame, sealed, in a pack. `size` is that of the object as it is. */
export type StoredObject = {
  readonly kind: ObjectKind;
  readonly size: number;
  readonly pack: string;
  readonly offset: number;
  readonly length: number;
};

const Row = z.tuple([z.string(), z.enum(["t", "b"]), z.number(), z.number(), z.number(), z.number()]);
const Index = z.object({ packs: z.array(z.string()), objects: z.array(Row) });

/** Objects by name, as an index file holds them. */
export function encodeIndex(objects: ReadonlyMap<string, StoredObject>): Buffer {
  const packs = [...new Set(Array.from(objects.values(), ({ pack }) => pack))];
  const numbers = new Map(packs.map((pack, at) => [pack, at]));
  const rows = Array.from(objects, ([name, { kind, size, pack, offset, length }]): z.infer<typeof Row> => [
    name,
    kind === "tree" ? "t" : "b",
    size,
    numbers.get(pack) ?? 0,
    offset,
    length,
  ]);
  return Buffer.from(JSON.stringify({ packs, objects: rows }));
}

/** @throws when it is not what `encodeIndex` gave */
export function decodeIndex(bytes: Buffer, into: Map<string, StoredObject>): void {
  const { packs, objects } = Index.parse(JSON.parse(bytes.toString("utf8")));
  for (const [name, kind, size, pack, offset, length] of objects) {
    into.set(name, { kind: kind === "t" ? "tree" : "blob", size, pack: packs[pack] ?? "", offset, length });
  }
}
