import type { Bundle } from "@handrail/protocol/sandboxd/bundles";
import type { StoredObject } from "./object-index.ts";
import type { ChunkOpener } from "./sealed-pack.ts";

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

/** Objects in the order of their places; neighbours of one pack, which are read at once, together. */
export function runsOf(wanted: readonly Wanted[]): readonly (readonly Wanted[])[] {
  const sorted = wanted.toSorted(
    (one, other) => order(one.pack, other.pack) || one.offset - other.offset || startOf(one) - startOf(other),
  );
  const found: Wanted[][] = [];
  let current: Wanted[] = [];
  for (const object of sorted) {
    const [first] = current;
    const last = current.at(-1);
    const near =
      first !== undefined &&
      last !== undefined &&
      last.pack === object.pack &&
      object.offset - (last.offset + last.length) <= GAP_BYTES &&
      object.offset + object.length - first.offset <= READ_BYTES;
    if (near) current.push(object);
    else found.push((current = [object]));
  }
  return found;
}

const order = (one: string, other: string) => Number(one > other) - Number(one < other);
const startOf = ({ inside }: StoredObject) => inside?.at ?? 0;
