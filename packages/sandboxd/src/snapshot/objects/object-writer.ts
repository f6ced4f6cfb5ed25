import { createHash } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import {
  type Bundle,
  BUNDLE_BYTES,
  bundleHeadBytes,
  MAX_BUNDLED_BYTES,
  writeBundle,
} from "@handrail/protocol/sandboxd/bundles";
import { encodeObjectFrame } from "@handrail/protocol/sandboxd/object-frames";
import type { ObjectKind } from "@handrail/protocol/snapshots";
import type { Turns } from "../turns.ts";
import { zstd } from "./zstd.ts";

/** Objects smaller than this do not get smaller by packing. */
const MIN_PACKED_BYTES = 64;
const BUFFER_BYTES = 1024 * 1024;

/** The name of an object: what it is and what is in it. */
export function objectName(kind: ObjectKind, bytes: Uint8Array): string {
  return createHash("sha256").update(`${kind}\n`).update(bytes).digest("hex");
}

/** The same of bytes in pieces, in turns. */
export async function nameInTurns(kind: ObjectKind, pieces: Iterable<Uint8Array>, turns: Turns): Promise<string> {
  const hash = createHash("sha256").update(`${kind}\n`);
  for (const piece of pieces) {
    hash.update(piece);
    if (turns.isOver) await turns.rest();
  }
  return hash.digest("hex");
}

/** Each goes into `all` as it is made. */
function* noted(pieces: Iterable<Uint8Array>, all: Uint8Array[]): Generator<Uint8Array> {
  for (const piece of pieces) {
    all.push(piece);
    yield piece;
  }
}

/** Writes objects, each once, as frames to a file; small pieces of files are put together. */
export class ObjectWriter {
  readonly #file: number;
  readonly #known: ReadonlySet<string>;
  readonly #written = new Set<string>();
  #bundled: Uint8Array[] = [];
  #bundledBytes = 0;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  bytes = 0;

  /** Leaves out the objects that are known. */
  constructor(path: string, known: ReadonlySet<string>) {
    this.#file = openSync(path, "w", 0o600);
    this.#known = known;
  }

  get count(): number {
    return this.#written.size;
  }

  /** The object's name. */
  add(kind: ObjectKind, bytes: Uint8Array): string {
    const name = objectName(kind, bytes);
    if (this.#known.has(name) || this.#written.has(name)) return name;
    this.#written.add(name);
    if (kind === "blob" && bytes.length <= MAX_BUNDLED_BYTES) {
      this.#bundle(encodeObjectFrame({ kind, packed: false, size: bytes.length, data: bytes }));
      return name;
    }
    this.#writeObject(kind, bytes, bytes.length < MIN_PACKED_BYTES ? undefined : zstd.compress(bytes));
    return name;
  }

  /** The same of a large object that comes in pieces. Nothing else is added meanwhile. */
  async addInTurns(kind: ObjectKind, pieces: Iterable<Uint8Array>, turns: Turns): Promise<string> {
    const all: Uint8Array[] = [];
    const name = await nameInTurns(kind, noted(pieces, all), turns);
    if (this.#known.has(name) || this.#written.has(name)) return name;
    this.#written.add(name);
    const bytes = Buffer.concat(all);
    this.#writeObject(kind, bytes, await zstd.compressBeside(bytes));
    return name;
  }

  close(): void {
    this.#endBundle();
    this.#flush();
    closeSync(this.#file);
  }

  #writeObject(kind: ObjectKind, bytes: Uint8Array, packed: Uint8Array | undefined): void {
    const smaller = packed !== undefined && packed.length < bytes.length;
    this.#write(encodeObjectFrame({ kind, packed: smaller, size: bytes.length, data: smaller ? packed : bytes }));
  }

  #bundle(frame: Uint8Array): void {
    this.#bundled.push(frame);
    this.#bundledBytes += frame.length;
    if (this.#bundledBytes >= BUNDLE_BYTES) this.#endBundle();
  }

  #endBundle(): void {
    const all = Buffer.concat(this.#bundled);
    this.#bundled = [];
    this.#bundledBytes = 0;
    const bundle: Bundle = { kind: "bundle", size: all.length, data: zstd.compress(all), objects: [] };
    const bytes = new Uint8Array(bundleHeadBytes(bundle) + bundle.data.length);
    if (bytes.length < all.length) writeBundle(bytes, 0, bundle);
    this.#write(bytes.length < all.length ? bytes : all);
  }

  #write(frame: Uint8Array): void {
    this.#waiting.push(frame);
    this.#waitingBytes += frame.length;
    this.bytes += frame.length;
    if (this.#waitingBytes >= BUFFER_BYTES) this.#flush();
  }

  #flush(): void {
    const all = Buffer.concat(this.#waiting);
    for (let done = 0; done < all.length;) done += writeSync(this.#file, all, done);
    this.#waiting = [];
    this.#waitingBytes = 0;
  }
}
