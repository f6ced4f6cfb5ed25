import { AppError } from "@handrail/protocol/errors";
import type { Bundle } from "@handrail/protocol/sandboxd/bundles";
import type { StoredObject } from "./object-index.ts";
import type { ObjectTable } from "./object-table.ts";
import type { ChunkOpener } from "./sealed-pack.ts";
import { eachInTurn } from "./turns.ts";

/** Objects of one pack are read together up to this many bytes, and over gaps of this many. */
const READ_BYTES = 8 * 1024 * 1024;
const GAP_BYTES = 64 * 1024;
/** A bundle of which less is wanted is not handed on whole. */
const MIN_WANTED = 0.5;

/** An object that is to be read. */
type Wanted = StoredObject & { readonly name: string };

/** Neighbours of one pack that are read at once, and what was read. */
export type Run = { readonly objects: readonly Wanted[]; readonly bytes: Uint8Array };

export type ReadObject = { readonly name: string; readonly frame: Buffer };

/** The frames of neighbours. */
export function* framesIn(run: Run, opener: ChunkOpener): Generator<ReadObject> {
  for (const object of run.objects) yield readObject(run, object, opener);
}

/** The same; where most of a bundle is wanted, it comes as it is. */
export function* bundlesIn(run: Run, opener: ChunkOpener): Generator<ReadObject | Bundle> {
  for (const chunk of chunksOf(run.objects)) {
    const [first] = chunk;
    const bundle = first && opener.bundle(first, sealedIn(run, first));
    const objects = chunk.map(({ name, inside }) => ({ name, at: inside?.at ?? 0, bytes: inside?.bytes ?? 0 }));
    const wanted = objects.reduce((sum, { bytes }) => sum + bytes, 0);
    if (bundle !== undefined && wanted >= bundle.size * MIN_WANTED) yield { kind: "bundle", ...bundle, objects };
    else for (const object of chunk) yield readObject(run, object, opener);
  }
}

function readObject(run: Run, object: Wanted, opener: ChunkOpener): ReadObject {
  return { name: object.name, frame: opener.frame(object.name, object, sealedIn(run, object)) };
}

function sealedIn({ objects: [first], bytes }: Run, { offset, length }: Wanted): Uint8Array {
  const from = offset - (first?.offset ?? 0);
  return bytes.subarray(from, from + length);
}

function* chunksOf(objects: readonly Wanted[]): Generator<readonly Wanted[]> {
  let chunk: Wanted[] = [];
  for (const object of objects) {
    if (chunk[0] !== undefined && chunk[0].offset !== object.offset) {
      yield chunk;
      chunk = [];
    }
    chunk.push(object);
  }
  if (chunk.length > 0) yield chunk;
}

/** So many places are sorted at once. */
const BUCKET_BITS = 15;

/** The objects of these names, in the order in which they were stored. @throws AppError `checkpoint_damaged` when one is missing */
export async function inOrder(known: ObjectTable, names: Iterable<string>): Promise<Iterable<Wanted>> {
  const buckets: number[][] = [];
  await eachInTurn(names, (name) => {
    const row = known.rowOf(name);
    if (row === undefined) throw new AppError("checkpoint_damaged", "Files of the checkpoint are missing.", { name });
    (buckets[row >> BUCKET_BITS] ??= []).push(row);
  });
  await eachInTurn(Object.values(buckets), (rows) => rows.sort((one, other) => one - other));
  return objectsAt(known, buckets);
}

function* objectsAt(known: ObjectTable, buckets: readonly (readonly number[])[]): Generator<Wanted> {
  let last = -1;
  for (const rows of Object.values(buckets)) {
    for (const row of rows) {
      if (row !== last) yield { name: known.nameAt(row), ...known.objectAt(row) };
      last = row;
    }
  }
}

/** Neighbours of one pack, which are read at once, together. */
export function* runsOf(wanted: Iterable<Wanted>): Generator<readonly Wanted[]> {
  let current: Wanted[] = [];
  for (const object of wanted) {
    if (!isNear(current, object)) {
      if (current.length > 0) yield current;
      current = [];
    }
    current.push(object);
  }
  if (current.length > 0) yield current;
}

function isNear(run: readonly Wanted[], { pack, offset, length }: Wanted): boolean {
  const [first] = run;
  const last = run.at(-1);
  if (first === undefined || last === undefined || last.pack !== pack || offset < last.offset) return false;
  return offset - (last.offset + last.length) <= GAP_BYTES && offset + length - first.offset <= READ_BYTES;
}
