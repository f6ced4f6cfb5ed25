import type { NamedFrame } from "./lineage.ts";
import type { StoredObject } from "./object-index.ts";
import type { Seal } from "./seal.ts";

/** Small frames are encrypted together: to set up the cipher takes longer than to encrypt what is small. */
const CHUNK_BYTES = 64 * 1024;

/** A pack's bytes, and where each object is in it. A chunk opens under its pack and place alone. */
export function sealPack(
  seal: Seal,
  pack: string,
  frames: readonly NamedFrame[],
): { readonly bytes: Buffer; readonly objects: Map<string, StoredObject> } {
  const objects = new Map<string, StoredObject>();
  const parts: Buffer[] = [];
  let offset = 0;
  for (const chunk of chunksOf(frames)) {
    const sealed = seal.seal(chunkName(pack, offset), Buffer.concat(chunk.map(({ frame }) => frame)));
    let at = 0;
    for (const { name, kind, size, frame } of chunk) {
      const inside = { at, bytes: frame.length };
      objects.set(name, { kind, size, pack, offset, length: sealed.length, inside });
      at += frame.length;
    }
    parts.push(sealed);
    offset += sealed.length;
  }
  return { bytes: Buffer.concat(parts), objects };
}

function* chunksOf(frames: readonly NamedFrame[]): Generator<readonly NamedFrame[]> {
  let chunk: NamedFrame[] = [];
  let bytes = 0;
  for (const frame of frames) {
    if (bytes > 0 && bytes + frame.frame.length > CHUNK_BYTES) {
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

/** Opens objects; those of one chunk that come one after another open it once. */
export function chunkOpener(seal: Seal): (name: string, object: StoredObject, sealed: Uint8Array) => Buffer {
  let last: { readonly pack: string; readonly offset: number; readonly plain: Buffer } | undefined;
  return (name, { pack, offset, inside }, sealed) => {
    // In older packs each object is encrypted alone, under its own name.
    if (inside === undefined) return seal.open(name, sealed);
    if (last?.pack !== pack || last.offset !== offset) {
      last = { pack, offset, plain: seal.open(chunkName(pack, offset), sealed) };
    }
    return last.plain.subarray(inside.at, inside.at + inside.bytes);
  };
}
