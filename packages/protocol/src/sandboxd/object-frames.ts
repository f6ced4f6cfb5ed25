import { AppError } from "../errors.ts";
import { MAX_TREE_BYTES, type ObjectKind } from "../snapshots.ts";
import { type Bundle, BUNDLE, bundleAt } from "./bundles.ts";
import { ownBytes } from "./own-bytes.ts";

/** An object on its way, compressed with zstd (RFC 8878) when `packed`. `size` is that of the bytes as they are. */
export type ObjectFrame = {
  readonly kind: ObjectKind;
  readonly packed: boolean;
  readonly size: number;
  readonly data: Uint8Array;
  /** What the object is called, where the sender says it. */
  readonly name?: string;
};

const HEADER_BYTES = 10;
const NAME_BYTES = 64;
/** Bits of a header's second byte. */
const PACKED = 1;
const NAMED = 2;

/**
 * Kind, packed or not, size as it is and size of the bytes as unsigned 32-bit big-endian numbers; then the name in
 * hexadecimal, of a frame that has one; the bytes.
 */
export function encodeObjectFrame({ kind, packed, size, data }: ObjectFrame): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES + data.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = kind === "tree" ? 1 : 2;
  bytes[1] = packed ? 1 : 0;
  view.setUint32(2, size);
  view.setUint32(6, data.length);
  bytes.set(data, HEADER_BYTES);
  return bytes;
}

/**
 * Writes a frame that says what its object is called, so that who takes it need not find that out; gives where it ends.
 * `into` has room for `headBytes(true)` and the frame's data.
 */
export function writeNamedFrame(into: Uint8Array, at: number, frame: Uint8Array, name: string): number {
  into.set(frame.subarray(0, HEADER_BYTES), at);
  into[at + 1] = (into[at + 1] ?? 0) | NAMED;
  into.set(new TextEncoder().encode(name), at + HEADER_BYTES);
  into.set(frame.subarray(HEADER_BYTES), at + headBytes(true));
  return at + NAME_BYTES + frame.length;
}

/**
 * Takes a stream of frames as it comes, cut anywhere, and gives the frames that it completes. `end` is called after
 * the last bytes. A frame that says its name, or is a bundle, is refused: it comes from somebody who is not believed.
 * @throws AppError `checkpoint_invalid` for anything else, before it holds more than one frame of the largest size
 */
export function objectFrames(): Frames<ObjectFrame> {
  return framesBy((bytes, at) => alone(objectAt(bytes, at, false)));
}

/** The same of a sender that is believed, which says what objects are called, and sends many of them as a bundle. */
export function sentFrames(): Frames<ObjectFrame | Bundle> {
  return framesBy<ObjectFrame | Bundle>((bytes, at) =>
    bytes[at] === BUNDLE ? bundleAt(bytes, at, true) : alone(objectAt(bytes, at, true)),
  );
}

/** The same of a sandbox, which sends bundles too. One that says a name is refused. */
export function takenFrames(): Frames<ObjectFrame | Bundle> {
  return framesBy<ObjectFrame | Bundle>((bytes, at) =>
    bytes[at] === BUNDLE ? bundleAt(bytes, at, false) : alone(objectAt(bytes, at, false)),
  );
}

/** An object's frame alone; its data is a part of `bytes`. @throws AppError `checkpoint_invalid` when it is something else */
export function readObjectFrame(bytes: Uint8Array): ObjectFrame {
  const read = objectAt(bytes, 0, false);
  if (read?.end === bytes.length) return read.frame;
  throw new AppError("checkpoint_invalid", "An object of the snapshot is none.");
}

export type Frames<Frame> = { take(bytes: Uint8Array): Frame[]; end(): void };

/** `read` gives what begins at a place; undefined when it is not all there. */
type ReadFrame<Frame> = (bytes: Uint8Array, at: number) => { readonly frame: Frame; readonly end: number } | undefined;

function framesBy<Frame>(read: ReadFrame<Frame>): Frames<Frame> {
  /** The beginning of a frame is in its first `held` bytes. */
  let store = new Uint8Array(0);
  let held = 0;
  return {
    take(bytes) {
      store = withRoom(store, held, held === 0 ? 0 : bytes.length);
      if (held > 0) store.set(bytes, held);
      const all = held > 0 ? store.subarray(0, held + bytes.length) : bytes;
      const frames: Frame[] = [];
      let at = 0;
      for (let found = read(all, at); found !== undefined; found = read(all, at)) {
        frames.push(found.frame);
        at = found.end;
      }
      if (at > 0 || held === 0) store = ownBytes(all.subarray(at));
      held = all.length - at;
      return frames;
    },
    end() {
      if (held > 0) throw new AppError("checkpoint_invalid", "The snapshot ends in the middle.");
    },
  };
}

/** The same bytes where there is room for so many more; twice as much each time, so that small pieces cost little. */
function withRoom(store: Uint8Array<ArrayBuffer>, held: number, more: number): Uint8Array<ArrayBuffer> {
  if (store.length >= held + more) return store;
  const larger = new Uint8Array(Math.max(held + more, 2 * held));
  larger.set(store.subarray(0, held));
  return larger;
}

/** With its own bytes, so that it does not keep all that came with it. */
function alone(found: ReturnType<typeof objectAt>) {
  return found && { ...found, frame: { ...found.frame, data: ownBytes(found.frame.data) } };
}

/** `believed`: it may say a name. The data is a part of `bytes`. @throws AppError `checkpoint_invalid` */
function objectAt(bytes: Uint8Array, at: number, believed: boolean) {
  if (bytes.length - at < HEADER_BYTES) return undefined;
  const { header, length, named } = headerAt(bytes, at, believed);
  const dataAt = at + headBytes(named);
  const end = dataAt + length;
  if (end > bytes.length) return undefined;
  const name = named ? { name: nameIn(bytes.subarray(at + HEADER_BYTES, dataAt)) } : {};
  return { frame: { ...header, ...name, data: bytes.subarray(dataAt, end) }, end };
}

/** Where the bytes begin of a piece that is not compressed by itself, from its frame; undefined of anything else. */
export function plainPieceAt(bytes: Uint8Array, at: number, length: number): number | undefined {
  const isPlain = bytes[at] === 2 && bytes[at + 1] === 0 && length >= HEADER_BYTES && at + length <= bytes.length;
  return isPlain && uint32(bytes, at + 6) === length - HEADER_BYTES ? at + HEADER_BYTES : undefined;
}

/** Big-endian. */
const uint32 = (bytes: Uint8Array, at: number) =>
  (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;

/** Whether an object's frame is compressed by itself. */
export const isPackedFrame = (frame: Uint8Array): boolean => ((frame[1] ?? 0) & PACKED) !== 0;

/** What comes before an object's bytes. */
export const headBytes = (named: boolean): number => HEADER_BYTES + (named ? NAME_BYTES : 0);

/** @throws AppError `checkpoint_invalid` */
function nameIn(bytes: Uint8Array): string {
  const name = new TextDecoder().decode(bytes);
  if (/^[0-9a-f]+$/.test(name)) return name;
  throw new AppError("checkpoint_invalid", "An object of the snapshot has a name that is none.");
}

const fits = (size: number, length: number, packed: boolean) =>
  size <= MAX_TREE_BYTES && (packed ? length <= size : length === size);

/** `believed`: it may say a name. */
function headerAt(bytes: Uint8Array, at: number, believed: boolean) {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  const kind = bytes[at];
  const flags = bytes[at + 1] ?? 0;
  const [packed, named] = [(flags & PACKED) !== 0, (flags & NAMED) !== 0];
  const size = view.getUint32(2);
  const length = view.getUint32(6);
  const known = (kind === 1 || kind === 2) && flags <= (believed ? PACKED | NAMED : PACKED);
  if (!known || !fits(size, length, packed)) {
    throw new AppError("checkpoint_invalid", "An object of the snapshot has a header that makes no sense.");
  }
  return { header: { kind: kind === 1 ? "tree" : "blob", packed, size } as const, length, named };
}
