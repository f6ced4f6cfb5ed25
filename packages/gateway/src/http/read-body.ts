import type { IncomingMessage } from "node:http";
import { AppError } from "@handrail/protocol/errors";
import { tooLarge, unpackBody } from "./unpack-body.ts";

export type BodyLimits = {
  readonly maxBytes: number;
  /** For all of it. */
  readonly timeoutMs: number;
};

/** Why a call ends when its client has left. */
export class ClientLeft extends Error {
  override readonly name = "ClientLeft";
}

/**
 * All of a request's body, unpacked where it came compressed.
 * @throws AppError `body_too_large`, `unsupported_media_type`, `bad_request` when it does not come in time; ClientLeft
 */
export async function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const bytes = await bytesOf(request, limits);
  const encoding = request.headers["content-encoding"];
  const plain = encoding === undefined || encoding === "identity" || bytes.length === 0;
  return plain ? bytes : unpackBody(bytes, encoding, limits.maxBytes);
}

function bytesOf(request: IncomingMessage, { maxBytes, timeoutMs }: BodyLimits): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const parts: Buffer[] = [];
  let size = 0;
  const onData = (part: Buffer) => {
    size += part.length;
    if (size > maxBytes) fail(tooLarge(maxBytes));
    else parts.push(part);
  };
  const onEnd = () => {
    stop();
    const [only] = parts;
    resolve(parts.length === 1 && only ? only : Buffer.concat(parts, size));
  };
  const onClose = () => fail(new ClientLeft("The client left before it had sent its request."));
  const stop = () => {
    clearTimeout(timer);
    request.off("data", onData).off("end", onEnd).off("close", onClose).off("error", onClose);
  };
  const fail = (reason: Error) => {
    stop();
    request.on("error", () => undefined).pause();
    reject(reason);
  };
  const timer = setTimeout(() => fail(tooSlow(timeoutMs)), timeoutMs);
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) fail(tooLarge(maxBytes));
  else if (request.destroyed && !request.readableEnded) onClose();
  else request.on("data", onData).on("end", onEnd).on("close", onClose).on("error", onClose);
  return promise;
}

const tooSlow = (ms: number) =>
  new AppError("bad_request", `The request's body did not come within ${Math.ceil(ms / 1000)} seconds.`);
