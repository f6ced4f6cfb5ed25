import { promisify } from "node:util";
import { constants, zstdCompress } from "node:zlib";
import { AppError } from "@handrail/protocol/errors";
import { type Bundle, BUNDLE_BYTES, MAX_BUNDLE_BYTES } from "@handrail/protocol/sandboxd/bundles";
import { isPackedFrame } from "@handrail/protocol/sandboxd/object-frames";
import type { NamedFrame } from "./lineage.ts";
import { unpackedTo } from "./object-content.ts";
import type { StoredObject } from "./object-index.ts";
import type { Seal } from "./seal.ts";

/** Before a bundle's compressed bytes: the size of what they unpack to. */
const SIZE_BYTES = 4;
const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
const compress = promisify(zstdCompress);

/**
 * A pack's bytes, and where each object is in it. Small frames are compressed and encrypted together: to set up either
 * takes longer than the work on what is small. Such a chunk opens under its pack and place alone.
 */
export async function sealPack(
  seal: Seal,
  pack: string,
  frames: readonly NamedFrame[],
): Promise<{ readonly bytes: Buffer; readonly objects: Map<string, StoredObject> }> {
  const objects = new Map<string, StoredObject>();
  const parts: Buffer[] = [];
  let offset = 0;
  for (const { chunk, bytes, bundled } of await Promise.all(Array.from(chunksOf(frames), contentOf))) {
    const sealed = seal.seal(chunkName(pack, offset), bytes);
    let at = 0;
    for (const { name, kind, size, frame } of chunk) {
      const inside = { at, bytes: frame.length, ...(bundled ? { bundled } : {}) };
      objects.set(name, { kind, size, pack, offset, length: sealed.length, inside });
      at += frame.length;
    }
    parts.push(sealed);
    offset += sealed.length;
  }
  return { bytes: Buffer.concat(parts), objects };
}

type Content = { readonly chunk: readonly NamedFrame[]; readonly bytes: Buffer; readonly bundled: true | undefined };

/** A bundle, where that is smaller. */
async function contentOf(chunk: readonly NamedFrame[]): Promise<Content> {
  const plain = Buffer.concat(chunk.map(({ frame }) => frame));
  const asItIs = { chunk, bytes: plain, bundled: undefined };
  if (plain.length > MAX_BUNDLE_BYTES || chunk.every(({ frame }) => isPackedFrame(frame))) return asItIs;
  const packed = await compress(plain, LEVEL);
  if (SIZE_BYTES + packed.length >= plain.length) return asItIs;
  const size = Buffer.alloc(SIZE_BYTES);
  size.writeUInt32BE(plain.length);
  return { chunk, bytes: Buffer.concat([size, packed]), bundled: true };
}

function* chunksOf(frames: readonly NamedFrame[]): Generator<readonly NamedFrame[]> {
  let chunk: NamedFrame[] = [];
  let bytes = 0;
  for (const frame of frames) {
    if (bytes > 0 && bytes + frame.frame.length > BUNDLE_BYTES) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(frame);
    bytes += frame.frame.length;
  }
  if (chunk.length > 0) yield chunk;
}

const chunkName = (pack: string, offset: number) => `${pack} ${offset}`;

/** Opens what is in packs. Of objects of one chunk that are asked for one after another, that is opened once. */
export class ChunkOpener {
  readonly #seal: Seal;
  #last: { readonly place: string; readonly bytes: Buffer; plain?: Buffer } | undefined;

  constructor(seal: Seal) {
    this.#seal = seal;
  }

  /** An object's frame. @throws AppError `checkpoint_damaged` */
  frame(name: string, object: StoredObject, sealed: Uint8Array): Buffer {
    const { inside } = object;
    // In older packs each object is encrypted alone, under its own name.
    if (inside === undefined) return this.#seal.open(name, sealed);
    const chunk = this.#open(object, sealed);
    chunk.plain ??= inside.bundled ? unpackedBundle(chunk.bytes) : chunk.bytes;
    return chunk.plain.subarray(inside.at, inside.at + inside.bytes);
  }

  /** The bundle that an object is in; undefined when it is in none. @throws AppError `checkpoint_damaged` */
  bundle(object: StoredObject, sealed: Uint8Array): Pick<Bundle, "size" | "data"> | undefined {
    if (object.inside?.bundled !== true) return undefined;
    const { bytes } = this.#open(object, sealed);
    return { size: bytes.readUInt32BE(0), data: bytes.subarray(SIZE_BYTES) };
  }

  #open({ pack, offset }: StoredObject, sealed: Uint8Array) {
    const place = chunkName(pack, offset);
    if (this.#last?.place !== place) this.#last = { place, bytes: this.#seal.open(place, sealed) };
    return this.#last;
  }
}

function unpackedBundle(bytes: Buffer): Buffer {
  const plain = unpackedTo(bytes.readUInt32BE(0), bytes.subarray(SIZE_BYTES));
  if (plain !== undefined) return plain;
  throw new AppError("checkpoint_damaged", "Stored files of the checkpoint were changed.");
}
