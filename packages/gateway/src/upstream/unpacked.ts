import type { Transform } from "node:stream";
import { AppError } from "@handrail/protocol/errors";
import type { Received } from "../ports/send.ts";

type Zlib = typeof import("node:zlib");

const UNPACKERS: ReadonlyMap<string, (zlib: Zlib) => Transform> = new Map([
  ["gzip", (zlib) => zlib.createGunzip()],
  ["x-gzip", (zlib) => zlib.createGunzip()],
  ["deflate", (zlib) => zlib.createInflate()],
  ["br", (zlib) => zlib.createBrotliDecompress()],
  ["zstd", (zlib) => zlib.createZstdDecompress()],
]);

/**
 * An answer as it was before the provider compressed it: some do though none is asked to. What is known of a piece goes on
 * at once. `broken` puts what went wrong into our words.
 * @throws AppError `model_stream_broken` for what cannot be unpacked
 */
export async function unpacked(received: Received, broken: (thrown: unknown) => unknown): Promise<Received> {
  const { "content-encoding": encoding, "content-length": _, ...headers } = received.headers;
  if (encoding === undefined || encoding === "identity") return received;
  const unpacker = UNPACKERS.get(encoding.trim().toLowerCase());
  if (unpacker === undefined) {
    await received.body[Symbol.asyncIterator]().return?.();
    throw new AppError(
      "model_stream_broken",
      `The model's API answered in ${encoding.slice(0, 40)}, which is unknown.`,
    );
  }
  const zlib = await import("node:zlib");
  return { ...received, headers, body: through(received.body, unpacker(zlib), broken) };
}

async function* through(
  packed: AsyncIterable<Uint8Array>,
  unpacker: Transform,
  broken: (thrown: unknown) => unknown,
): AsyncGenerator<Uint8Array, undefined> {
  const { pipeline } = await import("node:stream/promises");
  // Its failures come out of the unpacker, too.
  pipeline(packed, unpacker).catch(() => undefined);
  try {
    for await (const chunk of unpacker) yield chunk as Uint8Array;
  } catch (thrown) {
    throw broken(thrown);
  } finally {
    unpacker.destroy();
  }
}
