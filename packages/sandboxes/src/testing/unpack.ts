import { zstdDecompressSync } from "node:zlib";

/** Unpacks what is compressed with zstd (RFC 8878), up to the size that it then has. */
export function unpack(packed: Uint8Array, size: number): Uint8Array {
  return zstdDecompressSync(packed, { maxOutputLength: Math.max(1, size) });
}
