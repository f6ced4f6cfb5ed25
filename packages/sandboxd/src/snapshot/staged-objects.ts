import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { AppError } from "@handrail/protocol/errors";
import { objectFrames, type ObjectFrame } from "@handrail/protocol/sandboxd/object-frames";
import { parseKnownTree, type ObjectKind, type SnapshotTree } from "@handrail/protocol/snapshots";
import { objectName } from "./object-writer.ts";
import { zstd } from "./zstd.ts";

type Place = { readonly kind: ObjectKind; readonly packed: boolean; readonly size: number; at: number; length: number };

const HEADER_BYTES = 10;
const PIECE_BYTES = 1024 * 1024;
/** Of unpacked objects that stay in memory, since they are about to be written. Others are read again. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;

/** Objects that were put for a restore, each named anew as it comes. Close it after use. */
export class StagedObjects {
  readonly #file: number;
  readonly #frames = objectFrames();
  readonly #places = new Map<string, Place>();
  readonly #held = new Map<string, Uint8Array>();
  #heldBytes = 0;
  #end = 0;
  /** Bytes that were put. */
  size = 0;

  /** Goes on with what an earlier sandboxd left in the file. @throws AppError `checkpoint_invalid` */
  constructor(path: string) {
    this.#file = openSync(path, "a+", 0o600);
    const { size } = fstatSync(this.#file);
    while (this.size < size) {
      const piece = Buffer.allocUnsafe(PIECE_BYTES);
      const got = readSync(this.#file, piece, 0, PIECE_BYTES, this.size);
      if (got === 0) break;
      this.#take(piece.subarray(0, got));
    }
  }

  /** @throws AppError `checkpoint_invalid` */
  append(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) done += writeSync(this.#file, bytes, done);
    this.#take(bytes);
  }

  /** To be called when all was put. @throws AppError `checkpoint_invalid` when it ends in the middle of an object */
  end(): void {
    this.#frames.end();
  }

  has(name: string): boolean {
    return this.#places.has(name);
  }

  tree(name: string): SnapshotTree | undefined {
    const bytes = this.#read(name, "tree");
    return bytes === undefined ? undefined : parseKnownTree(bytes);
  }

  blob(name: string): Uint8Array | undefined {
    return this.#read(name, "blob");
  }

  close(): void {
    closeSync(this.#file);
  }

  #take(bytes: Uint8Array): void {
    this.size += bytes.length;
    for (const frame of this.#frames.take(bytes)) this.#add(frame);
  }

  #add({ kind, packed, size, data }: ObjectFrame): void {
    const bytes = packed ? unpacked(data, size) : data;
    const name = objectName(kind, bytes);
    const place = { kind, packed, size, at: this.#end + HEADER_BYTES, length: data.length };
    this.#end = place.at + place.length;
    this.#places.set(name, place);
    if (this.#heldBytes + bytes.length > MAX_HELD_BYTES || this.#held.has(name)) return;
    this.#held.set(name, bytes);
    this.#heldBytes += bytes.length;
  }

  #read(name: string, kind: ObjectKind): Uint8Array | undefined {
    const place = this.#places.get(name);
    if (place?.kind !== kind) return undefined;
    const held = this.#held.get(name);
    if (held !== undefined) return held;
    const data = Buffer.allocUnsafe(place.length);
    for (let done = 0; done < data.length;) {
      const got = readSync(this.#file, data, done, data.length - done, place.at + done);
      if (got === 0) throw new AppError("checkpoint_invalid", "The objects of the restore went.");
      done += got;
    }
    return place.packed ? unpacked(data, place.size) : data;
  }
}

function unpacked(data: Uint8Array, size: number): Uint8Array {
  const bytes = zstd.decompress(data, size);
  if (bytes.length === size) return bytes;
  throw new AppError("checkpoint_invalid", "An object of the restore has another size than it says.");
}
