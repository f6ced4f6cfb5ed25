import type { Duplex } from "node:stream";
import type { NetworkReason } from "@handrail/protocol/network-reasons";

/** Why a request was not let through, or could not be. Travels in the header `x-handrail-refused`. */
export type RefusalCode = Exclude<NetworkReason, "cut">;

export type Refusal = { readonly code: RefusalCode; readonly message: string };

const STATUS: { readonly [Code in RefusalCode]: readonly [number, string] } = {
  network_off: [403, "Forbidden"],
  host_invalid: [403, "Forbidden"],
  host_not_allowed: [403, "Forbidden"],
  port_not_allowed: [403, "Forbidden"],
  request_not_allowed: [403, "Forbidden"],
  request_unseen: [403, "Forbidden"],
  path_ambiguous: [403, "Forbidden"],
  denied: [403, "Forbidden"],
  no_longer_allowed: [403, "Forbidden"],
  unrecorded: [503, "Service Unavailable"],
  sni_mismatch: [403, "Forbidden"],
  host_mismatch: [400, "Bad Request"],
  address_forbidden: [403, "Forbidden"],
  name_unresolved: [502, "Bad Gateway"],
  unreachable: [502, "Bad Gateway"],
  timed_out: [408, "Request Timeout"],
  request_invalid: [400, "Bad Request"],
  command_unsupported: [501, "Not Implemented"],
  too_many_connections: [429, "Too Many Requests"],
  too_many_requests: [429, "Too Many Requests"],
  too_many_bytes: [429, "Too Many Requests"],
  push_not_allowed: [403, "Forbidden"],
  upstream_untrusted: [502, "Bad Gateway"],
  tls_failed: [400, "Bad Request"],
  answer_unreadable: [502, "Bad Gateway"],
};

/** The HTTP status that a refusal travels under, and its reason phrase. */
export const refusalStatus = (code: RefusalCode): readonly [number, string] => STATUS[code];

/** What a person or a program reads. */
export const refusalText = ({ message }: Refusal): string => `Handrail: ${message}\n`;

/** The refusal as a whole HTTP/1.1 response that ends the connection. */
export function refusalResponse(refusal: Refusal): string {
  const [status, reason] = STATUS[refusal.code];
  const body = refusalText(refusal);
  return [
    `HTTP/1.1 ${status} ${reason}`,
    `x-handrail-refused: ${refusal.code}`,
    "content-type: text/plain; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
    "",
    body,
  ].join("\r\n");
}

/** Answers with the refusal and ends the stream. */
export function endWith(stream: Duplex, refusal: Refusal): void {
  if (stream.writable) stream.write(refusalResponse(refusal));
  endGently(stream);
}

const LINGER_MS = 1_000;
const FLUSH_MS = 60_000;

const ending = new WeakSet<Duplex>();

/** Ends the stream and destroys it once the client had time to take what was written, and has a moment to end too. */
export function endGently(stream: Duplex): void {
  if (stream.destroyed || ending.has(stream)) return;
  ending.add(stream);
  let timer = setTimeout(() => stream.destroy(), FLUSH_MS);
  stream.once("close", () => clearTimeout(timer));
  stream.once("end", () => stream.writableFinished && stream.destroy());
  stream.end(() => {
    clearTimeout(timer);
    if (stream.readableEnded) stream.destroy();
    else timer = setTimeout(() => stream.destroy(), LINGER_MS);
  });
  stream.resume();
}
