import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { AppError } from "@handrail/protocol/errors";
import { type Bundle, bundleHeadBytes } from "@handrail/protocol/sandboxd/bundles";
import { headBytes, type ObjectFrame, sentFrames } from "@handrail/protocol/sandboxd/object-frames";
import { parseKnownTree, type ObjectKind, type SnapshotTree } from "@handrail/protocol/snapshots";
import { objectName } from "./object-writer.ts";
import { type BundledPiece, contentOf, OpenBundles } from "./open-bundles.ts";

/** Bytes in the file, compressed or not, and the size that they then have. */
type Part = { readonly at: number; readonly length: number; readonly packed: boolean; readonly size: number };
/** An object that came alone. */
type Alone = { readonly kind: ObjectKind; readonly part: Part };

const PIECE_BYTES = 1024 * 1024;
/** Of what stays in memory, since it is about to be written. The rest is read again. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;

/**
 * Objects that were put for a restore. They are called what the server calls them, or are named anew where it does not
 * say; who waits for one is told when it comes. Close it after use.
 */
export class StagedObjects {
  readonly #file: number;
  readonly #frames = sentFrames();
  readonly #places = new Map<string, Alone | BundledPiece>();
  /** Bytes as they came. */
  readonly #held = new Map<Part, Uint8Array>();
  #heldBytes = 0;
  readonly #bundles = new OpenBundles();
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

  /** Where a piece is in its bundle, for who unpacks that elsewhere; undefined: it is in none. */
  bundled(name: string): BundledPiece | undefined {
    const place = this.#place(name);
    return place !== undefined && "bundle" in place ? place : undefined;
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
    this.#places.set(frame.name ?? objectName(kind, contentOf(frame)), { kind, part });
    this.#hold(part, data);
  }

  #addBundle(bundle: Bundle): void {
    const { size, data, objects } = bundle;
    const part = { at: this.#end + bundleHeadBytes(bundle), length: data.length, packed: true, size };
    this.#end = part.at + part.length;
    this.#hold(part, data);
    const bytesOf = () => this.#bytesOf(part);
    const packed = {
      id: part.at,
      size,
      get data() {
        return bytesOf();
      },
    };
    for (const { name, at, bytes } of objects) this.#places.set(name, { bundle: packed, at, bytes });
  }

  #hold(part: Part, bytes: Uint8Array): void {
    if (this.#heldBytes + bytes.length > MAX_HELD_BYTES) return;
    this.#held.set(part, bytes);
    this.#heldBytes += bytes.length;
  }

  /** Of closed objects there is nothing: by then the descriptor may be another file's. */
  #place(name: string): Alone | BundledPiece | undefined {
    return this.#state === "closed" ? undefined : this.#places.get(name);
  }

  #read(name: string, kind: ObjectKind): Uint8Array | undefined {
    const place = this.#place(name);
    if (place === undefined) return undefined;
    if ("bundle" in place) {
      const frame = this.#bundles.frame(place);
      return frame.kind === kind ? contentOf(frame) : undefined;
    }
    return place.kind === kind ? contentOf({ ...place.part, data: this.#bytesOf(place.part) }) : undefined;
  }

  #bytesOf(part: Part): Uint8Array {
    const held = this.#held.get(part);
    if (held !== undefined) return held;
    const { at, length } = part;
    const data = Buffer.allocUnsafe(length);
    for (let done = 0; done < length;) {
      const got = readSync(this.#file, data, done, length - done, at + done);
      if (got === 0) throw new AppError("checkpoint_invalid", "The objects of the restore went.");
      done += got;
    }
    return data;
  }
}
