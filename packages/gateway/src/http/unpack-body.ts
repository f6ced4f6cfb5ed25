import { promisify } from "node:util";
import { AppError } from "@handrail/protocol/errors";

type Unpack = (bytes: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>;

/** The ways in which a body may be compressed, by their names in `content-encoding`. */
const UNPACKERS: ReadonlyMap<string, "gunzip" | "inflate" | "brotliDecompress" | "zstdDecompress"> = new Map([
  ["gzip", "gunzip"],
  ["x-gzip", "gunzip"],
  ["deflate", "inflate"],
  ["br", "brotliDecompress"],
  ["zstd", "zstdDecompress"],
]);

/**
 * A request's body as it was before it was compressed.
 * @throws AppError `unsupported_media_type`, `bad_request`, `body_too_large` for what would become more than `maxBytes`
 */
export async function unpackBody(bytes: Buffer, encoding: string, maxBytes: number): Promise<Buffer> {
  const name = UNPACKERS.get(encoding.trim().toLowerCase());
  if (name === undefined) {
    const text = `Send the body as it is, or in gzip, deflate, br or zstd, not in ${encoding.slice(0, 40)}.`;
    throw new AppError("unsupported_media_type", text);
  }
  const zlib = await import("node:zlib");
  const unpack: Unpack = promisify(zlib[name]);
  try {
    return await unpack(bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    if (cause instanceof RangeError) throw tooLarge(maxBytes);
    throw new AppError("bad_request", `The request's body is not valid ${encoding.slice(0, 40)}.`, {}, { cause });
  }
}

export const tooLarge = (maxBytes: number) =>
  new AppError("body_too_large", `The request's body is over ${Math.floor(maxBytes / 1024 / 1024)} MiB.`);
