import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { zstdDecompress, zstdDecompressSync } from "node:zlib";
import { AppError } from "@handrail/protocol/errors";
import { readObjectFrame, type ObjectFrame } from "@handrail/protocol/sandboxd/object-frames";
import { type ObjectKind, type SnapshotTree, treeInParts, treePieces } from "@handrail/protocol/snapshots";
import { eachInTurn, inTurn, turns } from "./turns.ts";

/** The name of an object: what it is and what is in it. */
export function nameOf(kind: ObjectKind, bytes: Uint8Array): string {
  return createHash("sha256").update(`${kind}\n`).update(bytes).digest("hex");
}

/** An object over this is named and unpacked in such a way that others have their turns. */
const LARGE_BYTES = 1024 * 1024;

/** The same as `nameOf` of what may be large. */
export async function nameInTurn(kind: ObjectKind, bytes: Uint8Array): Promise<string> {
  const hash = createHash("sha256").update(`${kind}\n`);
  const rest = turns();
  for (let at = 0; at < bytes.length; at += LARGE_BYTES) {
    hash.update(bytes.subarray(at, at + LARGE_BYTES));
    await rest();
  }
  return hash.digest("hex");
}

/** A tree's bytes, as `encodeTree` gives them, of one that may be large. */
export async function encodedInTurn(tree: SnapshotTree): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  await eachInTurn(treePieces(tree), (piece) => pieces.push(piece));
  return Buffer.concat(pieces);
}

type Packed = Pick<ObjectFrame, "packed" | "size" | "data">;

/** An object's bytes. @throws AppError `checkpoint_invalid` when they do not unpack to the size that they say */
export function unpacked({ packed, size, data }: Packed): Buffer {
  return whole(packed ? unpackedTo(size, data) : Buffer.from(data));
}

/** The same of what may be large. @throws AppError `checkpoint_invalid` */
export async function unpackedInTurn(object: Packed): Promise<Buffer> {
  const { packed, size, data } = object;
  if (!packed || size <= LARGE_BYTES) return unpacked(object);
  return whole(await unpackLarge(data, unpackingTo(size)).then(unpackedWhole(size, data), () => undefined));
}

function whole(bytes: Buffer | undefined): Buffer {
  if (bytes !== undefined) return bytes;
  throw new AppError("checkpoint_invalid", "An object of the snapshot does not unpack to the size that it says.");
}

/**
 * What was packed by zstd; undefined when it does not unpack to so many bytes. Never more are unpacked. Nothing is behind the
 * first frame: Node passes over it, and others do not.
 */
export function unpackedTo(size: number, data: Uint8Array): Buffer | undefined {
  try {
    return unpackedWhole(size, data)(zstdDecompressSync(data, unpackingTo(size)));
  } catch {
    return undefined;
  }
}

const unpackLarge = promisify(zstdDecompress) as (data: Uint8Array, options: object) => Promise<unknown>;
const unpackingTo = (size: number) => ({ maxOutputLength: Math.max(1, size), info: true });

const unpackedWhole = (size: number, data: Uint8Array) => (unpacked: unknown) => {
  const { buffer, engine } = unpacked as {
    readonly buffer: Buffer;
    readonly engine: { readonly bytesWritten: number };
  };
  return buffer.length === size && engine.bytesWritten === data.length ? buffer : undefined;
};

/** A stored directory, read strictly. @throws AppError `checkpoint_damaged` unless it is what the name says */
export async function treeOf(name: string, frame: Buffer): Promise<SnapshotTree> {
  const object = readObjectFrame(frame);
  const bytes = await unpackedInTurn(object);
  if ((await nameInTurn(object.kind, bytes)) !== name) throw changed();
  return inTurn(treeInParts(bytes));
}

/** The bytes of a stored object. @throws AppError `checkpoint_damaged` unless they are what the name says */
export function contentOf(name: string, frame: Buffer): Buffer {
  const object = readObjectFrame(frame);
  const bytes = unpacked(object);
  if (nameOf(object.kind, bytes) === name) return bytes;
  throw changed();
}

const changed = () => new AppError("checkpoint_damaged", "Stored files of the checkpoint were changed.");
