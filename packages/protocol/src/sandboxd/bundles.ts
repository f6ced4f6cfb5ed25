import { AppError } from "../errors.ts";
import { ownBytes } from "./own-bytes.ts";

/**
 * Many small objects, compressed together. From a sandbox `objects` is empty: what it says that they are called would not be
 * believed.
 */
export type Bundle = {
  readonly kind: "bundle";
  /** What they take when they are unpacked: one frame after another. */
  readonly size: number;
  /** Compressed with zstd (RFC 8878). */
  readonly data: Uint8Array;
  readonly objects: readonly BundledObject[];
};

/** An object in a bundle: what it is called, and where its frame is in what the bundle unpacks to. */
export type BundledObject = { readonly name: string; readonly at: number; readonly bytes: number };

/** The kind in a frame's first byte. */
export const BUNDLE = 3;
/** How many bytes of frames make a bundle. To open one object all of them are unpacked. */
export const BUNDLE_BYTES = 128 * 1024;
/** A larger piece of a file is in no bundle. */
export const MAX_BUNDLED_BYTES = 64 * 1024;
/** A bundle that unpacks to more is refused. */
export const MAX_BUNDLE_BYTES = 1024 * 1024;

/** Kind, a byte that is 0, size, size of the compressed bytes, and how many objects. */
const HEADER_BYTES = 14;
const NAME_BYTES = 64;
const PLACE_BYTES = 8;

/** What comes before a bundle's bytes. */
export const bundleHeadBytes = ({ objects }: Bundle): number =>
  HEADER_BYTES + objects.length * (NAME_BYTES + PLACE_BYTES);

/**
 * Writes a bundle: its header with unsigned 32-bit big-endian numbers, all names in hexadecimal, all places (where, and
 * how many bytes), the compressed bytes. Gives where it ends; `into` has room.
 */
export function writeBundle(into: Uint8Array, at: number, { size, data, objects }: Bundle): number {
  const view = new DataView(into.buffer, into.byteOffset + at);
  view.setUint16(0, BUNDLE << 8);
  view.setUint32(2, size);
  view.setUint32(6, data.length);
  view.setUint32(10, objects.length);
  into.set(new TextEncoder().encode(objects.map(({ name }) => name).join("")), at + HEADER_BYTES);
  let place = HEADER_BYTES + objects.length * NAME_BYTES;
  for (const object of objects) {
    view.setUint32(place, object.at);
    view.setUint32(place + 4, object.bytes);
    place += PLACE_BYTES;
  }
  into.set(data, at + place);
  return at + place + data.length;
}

/**
 * The bundle at a place; undefined when it is not all there. `believed`: it may say names.
 * @throws AppError `checkpoint_invalid`
 */
export function bundleAt(
  bytes: Uint8Array,
  at: number,
  believed: boolean,
): { readonly frame: Bundle; readonly end: number } | undefined {
  if (bytes.length - at < HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  const [size, length, count] = [view.getUint32(2), view.getUint32(6), view.getUint32(10)];
  if (size > MAX_BUNDLE_BYTES || length > size || count > (believed ? size : 0)) throw invalid();
  const placesAt = HEADER_BYTES + count * NAME_BYTES;
  const dataAt = placesAt + count * PLACE_BYTES;
  if (at + dataAt + length > bytes.length) return undefined;
  const names = new TextDecoder("latin1").decode(bytes.subarray(at + HEADER_BYTES, at + placesAt));
  if (!/^[0-9a-f]*$/.test(names)) throw invalid();
  const objects: BundledObject[] = [];
  for (let index = 0; index < count; index++) {
    const place = placesAt + index * PLACE_BYTES;
    const object = {
      name: names.slice(index * NAME_BYTES, (index + 1) * NAME_BYTES),
      at: view.getUint32(place),
      bytes: view.getUint32(place + 4),
    };
    if (object.at + object.bytes > size) throw invalid();
    objects.push(object);
  }
  const data = ownBytes(bytes.subarray(at + dataAt, at + dataAt + length));
  return { frame: { kind: "bundle", size, data, objects }, end: at + dataAt + length };
}

const invalid = () => new AppError("checkpoint_invalid", "A bundle of the snapshot makes no sense.");
