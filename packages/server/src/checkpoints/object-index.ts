import type { ObjectKind } from "@handrail/protocol/snapshots";
import { z } from "zod";
import { eachInTurn } from "./turns.ts";

/**
 * Where an object is: its frame in what is encrypted from `offset` on, `length` bytes, of a pack. `inside` says where in
 * that, once it is open and, where it is a bundle, unpacked; undefined: it is all. `size` is that of the object as it is.
 */
export type StoredObject = {
  readonly kind: ObjectKind;
  readonly size: number;
  readonly pack: string;
  readonly offset: number;
  readonly length: number;
  readonly inside?: { readonly at: number; readonly bytes: number; readonly bundled?: true } | undefined;
};

/** What an object counts beside others of its pack. */
export const weightOf = ({ length, inside }: StoredObject): number => inside?.bytes ?? length;

/** What takes objects in the store, that which they share with others counted whole and once. */
export async function storedBytes(objects: Iterable<StoredObject>): Promise<number> {
  const seen = new Set<string>();
  let sum = 0;
  await eachInTurn(objects, ({ pack, offset, length }) => {
    const place = `${pack} ${offset}`;
    if (!seen.has(place)) sum += length;
    seen.add(place);
  });
  return sum;
}

const Place = [z.string(), z.enum(["t", "b"]), z.number(), z.number(), z.number(), z.number()] as const;
const Inside = [...Place, z.number(), z.number()] as const;
/**
 * The name, what it is, its size, its pack's number, offset and length; then, unless it is all, where it is inside; then
 * a 1 where that is a bundle.
 */
const Row = z.union([z.tuple([...Inside, z.literal(1)]), z.tuple(Inside), z.tuple(Place)]);
const Index = z.object({ packs: z.array(z.string()), objects: z.array(Row) });

/** Objects by name, as an index file holds them. */
export function encodeIndex(objects: ReadonlyMap<string, StoredObject>): Buffer {
  const packs = [...new Set(Array.from(objects.values(), ({ pack }) => pack))];
  const numbers = new Map(packs.map((pack, at) => [pack, at]));
  const rows = Array.from(objects, ([name, object]): z.infer<typeof Row> => {
    const { kind, size, pack, offset, length, inside } = object;
    const place = [name, kind === "tree" ? "t" : "b", size, numbers.get(pack) ?? 0, offset, length] as const;
    if (inside === undefined) return [...place];
    return inside.bundled ? [...place, inside.at, inside.bytes, 1] : [...place, inside.at, inside.bytes];
  });
  return Buffer.from(JSON.stringify({ packs, objects: rows }));
}

/** @throws when it is not what `encodeIndex` gave */
export function decodeIndex(bytes: Buffer, into: Map<string, StoredObject>): void {
  const { packs, objects } = Index.parse(JSON.parse(bytes.toString("utf8")));
  for (const [name, kind, size, pack, offset, length, at, bytes, bundled] of objects) {
    const place = at === undefined || bytes === undefined ? undefined : { at, bytes };
    const inside = place && { inside: bundled === undefined ? place : { ...place, bundled: true as const } };
    into.set(name, { kind: kind === "t" ? "tree" : "blob", size, pack: packs[pack] ?? "", offset, length, ...inside });
  }
}
