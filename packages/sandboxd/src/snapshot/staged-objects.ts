import { closeSync, openSync, readSync } from "node:fs";
import { zstdDecompressSync } from "node:zlib";
import { AppError } from "@handrail/protocol/errors";
import { objectFrames } from "@handrail/protocol/sandboxd/object-frames";
import { parseTree, type ObjectKind, type SnapshotTree } from "@handrail/protocol/snapshots";
import { objectName } from "./object-writer.ts";

type Place = { readonly kind: ObjectKind; readonly packed: boolean; readonly size: number; at: number; length: number };

const HEADER_BYTES = 10;
const PIECE_BYTES = 1024 * 1024;

/** Objects that were put for a restore. Close it after use. */
export class StagedObjects {
  readonly #file: number;
  readonly #places = new Map<string, Place>();

  /** Reads all of the file once, to know what is in it. @throws AppError `checkpoint_invalid` */
  constructor(path: string) {
    this.#file = openSync(path, "r");
    const frames = objectFrames();
    let at = 0;
    for (let read = 0; ;) {
      const piece = Buffer.allocUnsafe(PIECE_BYTES);
      const got = readSync(this.#file, piece, 0, PIECE_BYTES, read);
      if (got === 0) break;
      read += got;
      for (const { kind, packed, size, data } of frames.take(piece.subarray(0, got))) {
        const bytes = packed ? unpacked(data, size) : data;
        const place = { kind, packed, size, at: at + HEADER_BYTES, length: data.length };
        this.#places.set(objectName(kind, bytes), place);
        at = place.at + place.length;
      }
    }
    frames.end();
  }

  has(name: string): boolean {
    return this.#places.has(name);
  }

  tree(name: string): SnapshotTree | undefined {
    const bytes = this.#read(name, "tree");
    return bytes === undefined ? undefined : parseTree(bytes);
  }

  blob(name: string): Uint8Array | undefined {
    return this.#read(name, "blob");
  }

  close(): void {
    closeSync(this.#file);
  }

  #read(name: string, kind: ObjectKind): Uint8Array | undefined {
    const place = this.#places.get(name);
    if (place?.kind !== kind) return undefined;
    const data = Buffer.allocUnsafe(place.length);
    for (let done = 0; done < data.length;) {
      const got = readSync(this.#file, data, done, data.length - done, place.at + done);
      if (got === 0) throw new AppError("checkpoint_invalid", "The objects of the restore went.");
      done += got;
    }
    return place.packed ? unpacked(data, place.size) : data;
  }
}

function unpacked(data: Uint8Array, size: number): Buffer {
  const bytes = zstdDecompressSync(data, { maxOutputLength: size });
  if (bytes.length === size) return bytes;
  throw new AppError("checkpoint_invalid", "An object of the restore has another size than it says.");
}
