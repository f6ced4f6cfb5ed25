import { zstdCompressSync } from "node:zlib";
import type { DiskImage } from "@handrail/protocol/sandboxd/disk-messages";
import { sparseDisk } from "../disk/sparse-disk.ts";

/** An empty file system of this size, without its holes: some kilobytes. @throws AppError `sandbox_failed` */
export async function newDisk(bytes: number): Promise<DiskImage> {
  const { extents, data } = await sparseDisk(bytes, []);
  return {
    bytes,
    extents: extents.map(([at, length]) => [at, length]),
    data: zstdCompressSync(data).toString("base64"),
  };
}
