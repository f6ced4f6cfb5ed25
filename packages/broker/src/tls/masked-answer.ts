import type { IncomingMessage } from "node:http";
import { Transform } from "node:stream";
import { constants, createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import { maskerOf } from "@handrail/core/secrets/masker-of";
import { overwritten, type SecretMasker } from "@handrail/core/secrets/secret-masker";
import { forwardedHeaders } from "../forwarded-headers.ts";
import type { Refusal } from "../refusal.ts";
import type { WithSecrets } from "../secrets/put-secrets.ts";
import { expansionBound } from "./expansion-bound.ts";

/** An answer as it is handed on. */
export type MaskedAnswer = {
  readonly incoming: IncomingMessage;
  readonly reason: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  /** What the body goes through. */
  readonly through: readonly Transform[];
  /** Why the body was broken off in the middle, where that was done here. */
  readonly broken: () => Refusal | undefined;
};

export type Masking = {
  /** Of all secrets that the host has. */
  readonly masker: SecretMasker;
  readonly method: string | undefined;
  /** Whether a secret was put into the request. */
  readonly put: boolean;
};

/** How answers are masked to this request, with these secrets. */
export const maskingOf = ({ secrets, known }: WithSecrets, method: string | undefined): Masking => ({
  masker: maskerOf(known),
  method,
  put: secrets.length > 0,
});

/**
 * What of an answer is handed on: as it is, where the host has no secret. Else secrets are overwritten, byte for byte, so
 * that lengths stay. A body that is compressed, though it was asked for as it is, is unpacked for that where a secret was
 * put into the request, and one that cannot be looked into refused; to another request it is handed on as it came.
 */
export function maskedAnswer(incoming: IncomingMessage, { masker, method, put }: Masking): MaskedAnswer | Refusal {
  const { statusCode = 0, statusMessage = "" } = incoming;
  const headers = maskedHeaders(forwardedHeaders(incoming.rawHeaders), masker);
  const answer = { incoming, reason: masker.text(statusMessage), headers, broken: () => undefined };
  if (masker.longest === 0) return { ...answer, through: [] };
  const codings = codingsOf(incoming);
  if (codings.length === 0 || isBodyless(incoming, method)) return { ...answer, through: [maskedBytes(masker)] };
  if (!put) return { ...answer, through: [] };
  const unpackers = codings.map((coding) => UNPACKERS.get(coding));
  if (unpackers.includes(undefined) || codings.length > MAX_CODINGS || statusCode === 206) return unreadable(codings);
  const made = unpackers.flatMap((make) => (make === undefined ? [] : [make()])).toReversed();
  const bound = expansionBound();
  return {
    ...answer,
    headers: headers.filter((_, index) => !OF_PACKED.has(headers[index - (index % 2)]?.toLowerCase() ?? "")),
    through: [bound.before, ...made, bound.after, maskedBytes(masker)],
    broken: bound.broken,
  };
}

/** What is masked is no name of a header any more: such a header is left out. */
const maskedHeaders = (headers: readonly string[], masker: SecretMasker): string[] =>
  headers.flatMap((name, index) =>
    index % 2 === 1 || masker.text(name) !== name ? [] : [name, masker.text(headers[index + 1] ?? "")],
  );

/** Secrets overwritten in a stream of bytes, which stay as many. */
export function maskedBytes(masker: SecretMasker): Transform {
  const masking = masker.stream(overwritten, { releases: 3 });
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => done(null, masking.push(chunk)),
    flush: (done) => done(null, masking.end()),
  });
}

/** A window as large as the web's may be, so that many answers at a time take no more memory. Source: RFC 9659 */
const ZSTD = { params: { [constants.ZSTD_d_windowLogMax]: 23 } };

const UNPACKERS: ReadonlyMap<string, () => Transform> = new Map([
  ["gzip", () => createGunzip()],
  ["x-gzip", () => createGunzip()],
  ["deflate", () => createInflate()],
  ["br", () => createBrotliDecompress()],
  ["zstd", () => createZstdDecompress(ZSTD)],
]);
const MAX_CODINGS = 2;

/** What is said of the packed body alone. */
const OF_PACKED: ReadonlySet<string> = new Set(["content-encoding", "content-length"]);

/** In the order in which they were applied. Node takes chunks away by itself, and no other coding of the transfer. */
function codingsOf({ headers }: IncomingMessage): readonly string[] {
  const listed = `${headers["content-encoding"] ?? ""},${headers["transfer-encoding"] ?? ""}`.toLowerCase().split(",");
  return listed.map((coding) => coding.trim()).filter((coding) => !["", "identity", "chunked"].includes(coding));
}

const isBodyless = ({ statusCode }: IncomingMessage, method: string | undefined) =>
  method === "HEAD" || statusCode === 204 || statusCode === 304;

const unreadable = (codings: readonly string[]): Refusal => ({
  code: "answer_unreadable",
  message:
    `The answer is packed (${codings.join(", ").slice(0, 60)}) in a way in which it cannot be looked into, and a secret ` +
    "was put into its request.",
});
