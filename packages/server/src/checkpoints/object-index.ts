import type { ObjectKind } from "@handrail/protocol/snapshots";
import { z } from "zod";
import type { ObjectTable } from "./object-table.ts";
import { eachInTurn, turns } from "./turns.ts";

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

/** Objects of one index at most. */
export const INDEX_OBJECTS = 32_768;
/** What an index begins with. Older ones are JSON. */
const FORMAT = 2;
const HEAD_BYTES = 5;
const NAME_BYTES = 32;
/** A name and seven numbers of 32 bits. */
const ROW_BYTES = NAME_BYTES + 7 * 4;
const [TREE, INSIDE, BUNDLED] = [1, 2, 4] as const;
/** What an object is: bits, as indexes have them. */
export const bitsOf = ({ kind, inside }: StoredObject): number =>
  (kind === "tree" ? TREE : 0) | (inside ? INSIDE : 0) | (inside?.bundled ? BUNDLED : 0);

/** What an object is and where in what is stored, from its bits and the place that it has where it is inside. */
export function kindAndPlace(bits: number, place: { readonly at: number; readonly bytes: number }) {
  const inside = bits & BUNDLED ? { ...place, bundled: true as const } : place;
  return { kind: bits & TREE ? ("tree" as const) : ("blob" as const), ...(bits & INSIDE ? { inside } : {}) };
}

/**
 * Objects by name, as index files hold them: the format, the bytes of what names the packs (JSON), that, and for each object its
 * name, what it is, its size, its pack's number, offset and length, then where it is inside of that. Others have their turns.
 */
export async function* encodeIndexes(objects: Iterable<readonly [string, StoredObject]>): AsyncGenerator<Buffer> {
  const rest = turns();
  let rows: (readonly [string, StoredObject])[] = [];
  for (const row of objects) {
    rows.push(row);
    if (rows.length < INDEX_OBJECTS) continue;
    yield encodeIndex(rows);
    rows = [];
    await rest();
  }
  if (rows.length > 0) yield encodeIndex(rows);
}

function encodeIndex(rows: readonly (readonly [string, StoredObject])[]): Buffer {
  const packs = [...new Set(rows.map(([, { pack }]) => pack))];
  const numbers = new Map(packs.map((pack, at) => [pack, at]));
  const head = Buffer.from(JSON.stringify(packs));
  const bytes = Buffer.alloc(HEAD_BYTES + head.length + rows.length * ROW_BYTES);
  bytes[0] = FORMAT;
  bytes.writeUInt32LE(head.length, 1);
  head.copy(bytes, HEAD_BYTES);
  let at = HEAD_BYTES + head.length;
  for (const [name, object] of rows) {
    const { size, pack, offset, length, inside } = object;
    bytes.write(name, at, "hex");
    at += NAME_BYTES;
    const { at: place = 0, bytes: placed = 0 } = inside ?? {};
    for (const number of [bitsOf(object), size, numbers.get(pack) ?? 0, offset, length, place, placed]) {
      at = bytes.writeUInt32LE(number, at);
    }
  }
  return bytes;
}

/** @throws when it is not what `encodeIndexes` gave, or an older server wrote */
export async function decodeIndex(bytes: Buffer, into: ObjectTable): Promise<void> {
  await eachInTurn(bytes[0] === FORMAT ? rowsIn(bytes) : olderRowsIn(bytes), ([name, object]) =>
    into.set(name, object),
  );
}

function* rowsIn(bytes: Buffer): Generator<readonly [string, StoredObject]> {
  const rowsAt = HEAD_BYTES + bytes.readUInt32LE(1);
  const packs = Packs.parse(JSON.parse(bytes.toString("utf8", HEAD_BYTES, rowsAt)));
  for (let at = rowsAt; at < bytes.length; at += ROW_BYTES) {
    const number = (index: number) => bytes.readUInt32LE(at + NAME_BYTES + index * 4);
    yield [
      bytes.toString("hex", at, at + NAME_BYTES),
      {
        size: number(1),
        pack: packs[number(2)] ?? "",
        offset: number(3),
        length: number(4),
        ...kindAndPlace(number(0), { at: number(5), bytes: number(6) }),
      },
    ];
  }
}

const Packs = z.array(z.string());
const Place = [z.string(), z.enum(["t", "b"]), z.number(), z.number(), z.number(), z.number()] as const;
const Inside = [...Place, z.number(), z.number()] as const;
/**
 * The name, what it is, its size, its pack's number, offset and length; then, unless it is all, where it is inside; then
 * a 1 where that is a bundle.
 */
const Row = z.union([z.tuple([...Inside, z.literal(1)]), z.tuple(Inside), z.tuple(Place)]);
const Index = z.object({ packs: Packs, objects: z.array(Row) });

function* olderRowsIn(json: Buffer): Generator<readonly [string, StoredObject]> {
  const { packs, objects } = Index.parse(JSON.parse(json.toString("utf8")));
  for (const [name, kind, size, pack, offset, length, at, bytes, bundled] of objects) {
    const place = at === undefined || bytes === undefined ? undefined : { at, bytes };
    const inside = place && { inside: bundled === undefined ? place : { ...place, bundled: true as const } };
    yield [name, { kind: kind === "t" ? "tree" : "blob", size, pack: packs[pack] ?? "", offset, length, ...inside }];
  }
}
