import { AppError } from "../errors.ts";
import { MAX_TREE_BYTES, type ObjectKind } from "../snapshots.ts";

/** An object on its way, compressed with zstd (RFC 8878) when `packed`. `size` is that of the bytes as they are. */
export type ObjectFrame = {
  readonly kind: ObjectKind;
  readonly packed: boolean;
  readonly size: number;
  readonly data: Uint8Array;
};

const HEADER_BYTES = 10;

/** Kind, packed or not, size as it is and size of what follows as unsigned 32-bit big-endian numbers, the bytes. */
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
 * Takes a stream of frames as it comes, cut anywhere, and gives the frames that it completes. `end` is called after
 * the last bytes.
 * @throws AppError `checkpoint_invalid` for anything else, before it holds more than one frame of the largest size
 */
export function objectFrames(): { take(bytes: Uint8Array): ObjectFrame[]; end(): void } {
  let held = new Uint8Array(0);
  return {
    take(bytes) {
      const all = held.length === 0 ? bytes : joined(held, bytes);
      const frames: ObjectFrame[] = [];
      let at = 0;
      while (all.length - at >= HEADER_BYTES) {
        const { header, length } = headerAt(all, at);
        const end = at + HEADER_BYTES + length;
        if (end > all.length) break;
        frames.push({ ...header, data: all.slice(at + HEADER_BYTES, end) });
        at = end;
      }
      held = all.slice(at);
      return frames;
    },
    end() {
      if (held.length > 0) throw new AppError("checkpoint_invalid", "The snapshot ends in the middle.");
    },
  };
}

function headerAt(bytes: Uint8Array, at: number) {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  const kind = bytes[at];
  const packed = bytes[at + 1];
  const size = view.getUint32(2);
  const length = view.getUint32(6);
  const wrong =
    (kind !== 1 && kind !== 2) || packed === undefined || packed > 1 || size > MAX_TREE_BYTES || length > size;
  if (wrong || (packed === 0 && length !== size)) {
    throw new AppError("checkpoint_invalid", "An object of the snapshot has a header that makes no sense.");
  }
  return { header: { kind: kind === 1 ? "tree" : "blob", packed: packed === 1, size } as const, length };
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(one.length + other.length);
  all.set(one);
  all.set(other, one.length);
  return all;
}
