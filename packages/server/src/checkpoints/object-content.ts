import { createHash } from "node:crypto";
import { zstdDecompressSync } from "node:zlib";
import { AppError } from "@handrail/protocol/errors";
import { readObjectFrame, type ObjectFrame } from "@handrail/protocol/sandboxd/object-frames";
import type { ObjectKind } from "@handrail/protocol/snapshots";

/** The name of an object: what it is and what is in it. */
export function nameOf(kind: ObjectKind, bytes: Uint8Array): string {
  return createHash("sha256").update(`${kind}\n`).update(bytes).digest("hex");
}

/** An object's bytes. @throws AppError `checkpoint_invalid` when they do not unpack to the size that they say */
export function unpacked({ packed, size, data }: Pick<ObjectFrame, "packed" | "size" | "data">): Buffer {
  const bytes = packed ? unpackedTo(size, data) : Buffer.from(data);
  if (bytes !== undefined) return bytes;
  throw new AppError("checkpoint_invalid", "An object of the snapshot does not unpack to the size that it says.");
}

/**
 * What was packed by zstd; undefined when it does not unpack to so many bytes. Never more are unpacked. Nothing is behind the
 * first frame: Node passes over it, and others do not.
 */
export function unpackedTo(size: number, data: Uint8Array): Buffer | undefined {
  try {
    const unpacked: unknown = zstdDecompressSync(data, { maxOutputLength: Math.max(1, size), info: true });
    const { buffer, engine } = unpacked as {
      readonly buffer: Buffer;
      readonly engine: { readonly bytesWritten: number };
    };
    return buffer.length === size && engine.bytesWritten === data.length ? buffer : undefined;
  } catch {
    return undefined;
  }
}

/** The bytes of a stored object. @throws AppError `checkpoint_damaged` unless they are what the name says */
export function contentOf(name: string, frame: Buffer): Buffer {
  const object = readObjectFrame(frame);
  const bytes = unpacked(object);
  if (nameOf(object.kind, bytes) === name) return bytes;
  throw new AppError("checkpoint_damaged", "Stored files of the checkpoint were changed.");
}
