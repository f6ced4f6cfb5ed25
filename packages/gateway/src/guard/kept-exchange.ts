import type { Exchange } from "../ports/guard.ts";
import { maskText } from "./find-secrets.ts";
import { createRedactor } from "./redactor.ts";

/** A body in a file: as text, without secrets. `cut` where there was more of it. */
export type KeptBody = { readonly text: string; readonly cut?: true };

/** What a file holds. */
export type KeptExchange = Omit<Exchange, "request" | "answer" | "at"> & {
  /** When the call began, such as `2026-11-25T12:00:00.000Z`. */
  readonly at: string;
  readonly request: KeptBody;
  readonly answer: KeptBody;
};

/** What of an exchange is kept. */
export function keptExchange({ at, request, answer, ...facts }: Exchange, maxBytes: number): KeptExchange {
  return {
    ...facts,
    at: new Date(at).toISOString(),
    request: keptBody(request, maxBytes),
    answer: keptBody(answer, maxBytes),
  };
}

const redactor = createRedactor();

/** Masked first and cut then, so that nothing is left of a secret at the cut. */
function keptBody(bytes: Uint8Array, maxBytes: number): KeptBody {
  const { body } = redactor.redact(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  // What is no JSON has secrets beside quotes, too.
  const masked = Buffer.from(maskText(body.toString("utf8")));
  if (bytes.byteLength <= maxBytes) return { text: masked.toString("utf8") };
  return { text: masked.toString("utf8", 0, maxBytes).replace(/\uFFFD$/, ""), cut: true };
}
