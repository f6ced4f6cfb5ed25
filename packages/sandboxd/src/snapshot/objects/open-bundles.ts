import { AppError } from "@handrail/protocol/errors";
import { type ObjectFrame, readObjectFrame } from "@handrail/protocol/sandboxd/object-frames";
import { zstd } from "./zstd.ts";

/** A bundle as it came. `id`: its own among those of one restore; `size`: of what it unpacks to. */
export type PackedBundle = { readonly id: number; readonly size: number; readonly data: Uint8Array };

/** An object in a bundle: where its frame is in what that unpacks to. */
export type BundledPiece = { readonly bundle: PackedBundle; readonly at: number; readonly bytes: number };

/** Of unpacked bundles that stay in memory. */
const MAX_BYTES = 2 * 1024 * 1024;

/**
 * Bundles that are unpacked when one of their objects is asked for: mostly its neighbours are asked for next. What it gives
 * is part of a bundle's bytes, and good until something else is asked for.
 */
export class OpenBundles {
  /** By id, in the order in which they were unpacked. */
  readonly #open = new Map<number, Uint8Array>();
  #bytes = 0;

  /** An object's frame. @throws AppError `checkpoint_invalid` */
  frame({ bundle, at, bytes }: BundledPiece): ObjectFrame {
    return readObjectFrame(this.unpacked(bundle).subarray(at, at + bytes));
  }

  /** @throws AppError `checkpoint_invalid` */
  unpacked({ id, size, data }: PackedBundle): Uint8Array {
    const known = this.#open.get(id);
    if (known !== undefined) return known;
    const all = unpackedTo(size, data);
    this.#open.set(id, all);
    this.#bytes += all.length;
    for (const [oldest, bytes] of this.#open) {
      if (this.#bytes <= MAX_BYTES || oldest === id) break;
      this.#open.delete(oldest);
      this.#bytes -= bytes.length;
      giveBack(bytes);
    }
    return all;
  }
}

/** At once, for the next bundle: memory that waits for a garbage collection is new memory each time, and page faults. */
function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}

/** An object's bytes. @throws AppError `checkpoint_invalid` */
export const contentOf = ({ packed, size, data }: Pick<ObjectFrame, "packed" | "size" | "data">): Uint8Array =>
  packed ? unpackedTo(size, data) : data;

function unpackedTo(size: number, data: Uint8Array): Uint8Array {
  const bytes = unpacked(size, data);
  if (bytes.length === size) return bytes;
  throw new AppError("checkpoint_invalid", "An object of the restore has another size than it says.");
}

function unpacked(size: number, data: Uint8Array): Uint8Array {
  try {
    return zstd.decompress(data, size);
  } catch (cause) {
    throw new AppError("checkpoint_invalid", "An object of the restore cannot be unpacked.", {}, { cause });
  }
}
