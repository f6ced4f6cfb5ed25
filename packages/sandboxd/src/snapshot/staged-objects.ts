import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { AppError } from "@handrail/protocol/errors";
import { type Bundle, bundleHeadBytes } from "@handrail/protocol/sandboxd/bundles";
import { headBytes, type ObjectFrame, readObjectFrame, sentFrames } from "@handrail/protocol/sandboxd/object-frames";
import { parseKnownTree, type ObjectKind, type SnapshotTree } from "@handrail/protocol/snapshots";
import { objectName } from "./object-writer.ts";
import { zstd } from "./zstd.ts";

/** Bytes in the file, compressed or not, and the size that they then have. */
type Part = { readonly at: number; readonly length: number; readonly packed: boolean; readonly size: number };
/** Where an object is: its own bytes, or those of a bundle with its frame inside. */
type Place = { readonly kind: ObjectKind; readonly part: Part; readonly inside?: { at: number; bytes: number } };

const PIECE_BYTES = 1024 * 1024;
/** Of unpacked objects that stay in memory, since they are about to be written. Others are read again. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;

/**
 * Objects that were put for a restore. They are called what the server calls them, or are named anew where it does not
 * say; who waits for one is told when it comes. Close it after use.
 */
export class StagedObjects {
  readonly #file: number;
  readonly #frames = sentFrames();
  readonly #places = new Map<string, Place>();
  readonly #held = new Map<string, Uint8Array>();
  #heldBytes = 0;
  /** A bundle that was read again. */
  #last: { readonly part: Part; readonly bytes: Uint8Array } | undefined;
  #end = 0;
  #state: "coming" | "complete" | "closed" = "coming";
  /** Those who wait for pieces, until the next ones are there. */
  #waiting: PromiseWithResolvers<void> | undefined;
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
    this.#wake();
  }

  /** To be called when all was put. @throws AppError `checkpoint_invalid` when it ends in the middle of an object */
  end(): void {
    this.#state = "complete";
    this.#wake();
    this.#frames.end();
  }

  /**
   * Ends when these objects are there, or all that comes. Undefined when that is so already.
   * @throws AppError `checkpoint_invalid` when the objects are closed before
   */
  arrived(names: readonly string[]): Promise<void> | undefined {
    return this.#lacks(names) ? this.#awaited(names) : undefined;
  }

  async #awaited(names: readonly string[]): Promise<void> {
    while (this.#lacks(names)) {
      if (this.#state === "closed") throw new AppError("checkpoint_invalid", "The restore was begun anew.");
      this.#waiting ??= Promise.withResolvers<void>();
      await this.#waiting.promise;
    }
  }

  #lacks(names: readonly string[]): boolean {
    if (this.#state !== "coming") return this.#state === "closed";
    return !names.every((name) => this.#places.has(name));
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
    this.#state = "closed";
    this.#wake();
  }

  #wake(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  #take(bytes: Uint8Array): void {
    this.size += bytes.length;
    for (const frame of this.#frames.take(bytes)) {
      if (frame.kind === "bundle") this.#addBundle(frame);
      else this.#addObject(frame);
    }
  }

  #addObject(frame: ObjectFrame): void {
    const { kind, packed, size, data } = frame;
    const part = { at: this.#end + headBytes(frame.name !== undefined), length: data.length, packed, size };
    this.#end = part.at + part.length;
    const bytes = packed ? unpacked(data, size) : data;
    this.#add(frame.name ?? objectName(kind, bytes), { kind, part }, bytes);
  }

  #addBundle(bundle: Bundle): void {
    const { size, data, objects } = bundle;
    const part = { at: this.#end + bundleHeadBytes(bundle), length: data.length, packed: true, size };
    this.#end = part.at + part.length;
    const all = unpacked(data, size);
    for (const { name, at, bytes } of objects) {
      const frame = readObjectFrame(all.subarray(at, at + bytes));
      this.#add(name, { kind: frame.kind, part, inside: { at, bytes } }, contentOf(frame));
    }
  }

  #add(name: string, place: Place, bytes: Uint8Array): void {
    this.#places.set(name, place);
    if (this.#heldBytes + bytes.length > MAX_HELD_BYTES || this.#held.has(name)) return;
    this.#held.set(name, bytes);
    this.#heldBytes += bytes.length;
  }

  /** Of closed objects there is nothing: by then the descriptor may be another file's. */
  #read(name: string, kind: ObjectKind): Uint8Array | undefined {
    const place = this.#state === "closed" ? undefined : this.#places.get(name);
    if (place?.kind !== kind) return undefined;
    const held = this.#held.get(name);
    if (held !== undefined) return held;
    const { part, inside } = place;
    if (inside === undefined) return this.#partOf(part);
    // Those of one bundle are mostly asked for one after another.
    if (this.#last?.part !== part) this.#last = { part, bytes: this.#partOf(part) };
    return contentOf(readObjectFrame(this.#last.bytes.subarray(inside.at, inside.at + inside.bytes)));
  }

  #partOf({ at, length, packed, size }: Part): Uint8Array {
    const data = Buffer.allocUnsafe(length);
    for (let done = 0; done < length;) {
      const got = readSync(this.#file, data, done, length - done, at + done);
      if (got === 0) throw new AppError("checkpoint_invalid", "The objects of the restore went.");
      done += got;
    }
    return packed ? unpacked(data, size) : data;
  }
}

const contentOf = ({ packed, size, data }: ObjectFrame) => (packed ? unpacked(data, size) : data);

function unpacked(data: Uint8Array, size: number): Uint8Array {
  const bytes = zstd.decompress(data, size);
  if (bytes.length === size) return bytes;
  throw new AppError("checkpoint_invalid", "An object of the restore has another size than it says.");
}
