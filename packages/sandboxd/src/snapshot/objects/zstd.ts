import { promisify } from "node:util";

/** Compression of single objects, which are small and many. */
export type Zstd = {
  readonly compress: (bytes: Uint8Array) => Uint8Array;
  /** The same, while other work goes on: for large objects. */
  readonly compressBeside: (bytes: Uint8Array) => Promise<Uint8Array>;
  /** `size` bounds what comes out where it can. @throws for anything else than a whole frame */
  readonly decompress: (data: Uint8Array, size: number) => Uint8Array;
};

/** ZSTD_c_compressionLevel, by its number (zstd.h): Bun and Node name it alike. */
const LEVEL = { 100: 1 };

/** Bun's own functions take a third of the time that its `node:zlib` does, which sets up a stream for each object. */
const BUN: Zstd = {
  compress: (bytes) => Bun.zstdCompressSync(bytes, { level: 1 }),
  compressBeside: (bytes) => Bun.zstdCompress(bytes, { level: 1 }),
  decompress: (data) => Bun.zstdDecompressSync(data),
};

function nodes(): Zstd {
  const { zstdCompress, zstdCompressSync, zstdDecompressSync } = process.getBuiltinModule("node:zlib");
  return {
    compress: (bytes) => zstdCompressSync(bytes, { params: LEVEL }),
    compressBeside: (bytes) => promisify(zstdCompress)(bytes, { params: LEVEL }),
    decompress: (data, size) => zstdDecompressSync(data, { maxOutputLength: Math.max(1, size) }),
  };
}

export const zstd: Zstd = process.versions["bun"] === undefined ? nodes() : BUN;
