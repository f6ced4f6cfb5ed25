import type { StoredObject } from "./object-index.ts";
import type { chunkOpener } from "./sealed-pack.ts";

/** Objects of one pack are read together up to this many bytes, and over gaps of this many. */
const READ_BYTES = 8 * 1024 * 1024;
const GAP_BYTES = 64 * 1024;

/** An object that is to be read. */
type Wanted = StoredObject & { readonly name: string };

/** The frames of neighbours, of which `bytes` were read. */
export function* framesIn(
  run: readonly Wanted[],
  bytes: Uint8Array,
  open: ReturnType<typeof chunkOpener>,
): Generator<{ readonly name: string; readonly frame: Buffer }> {
  const start = run[0]?.offset ?? 0;
  for (const object of run) {
    const from = object.offset - start;
    yield { name: object.name, frame: open(object.name, object, bytes.subarray(from, from + object.length)) };
  }
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
