import type { IncomingMessage } from "node:http";
import { Transform } from "node:stream";
import { overwritten, type SecretMasker } from "@handrail/core/secrets/secret-masker";

/** The headers (names and values in turn) of an answer that may repeat a secret. */
export function maskedHeaders(headers: readonly string[], masker: SecretMasker): string[] {
  return headers.map((text, index) => (index % 2 === 0 ? text : masker.text(text)));
}

/**
 * What the body of an answer goes through: secrets are overwritten, byte for byte, so that lengths stay. A body that is
 * compressed cannot be looked into; it was not asked for, where a secret was put in.
 */
export function maskedBody(incoming: IncomingMessage, masker: SecretMasker): readonly Transform[] {
  const encoding = incoming.headers["content-encoding"] ?? "identity";
  if (masker.longest === 0 || encoding !== "identity") return [];
  return [maskedBytes(masker)];
}

/** Secrets overwritten in a stream of bytes, which stay as many. */
export function maskedBytes(masker: SecretMasker): Transform {
  const masking = masker.stream(overwritten, { releases: 3 });
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => done(null, masking.push(chunk)),
    flush: (done) => done(null, masking.end()),
  });
}
