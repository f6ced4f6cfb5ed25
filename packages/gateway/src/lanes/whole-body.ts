import { AppError } from "@handrail/protocol/errors";

const MAX_BYTES = 64 * 1024 * 1024;

/** All of a body as text. @throws AppError `model_stream_broken` when it is over 64 MiB */
export async function wholeBody(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > MAX_BYTES) throw new AppError("model_stream_broken", "The model's answer is over 64 MiB.");
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}
