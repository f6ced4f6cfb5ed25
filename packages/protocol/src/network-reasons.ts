/** Why a request of a sandbox was refused or failed, by the code that its record has: a sentence for who reads the list. */
export const NETWORK_REASONS = {
  network_off: "This conversation has no network.",
  host_invalid: "It named no valid host and port.",
  host_not_allowed: "No rule allows this host.",
  port_not_allowed: "No rule allows this port of the host.",
  request_not_allowed: "No rule allows this kind of request to the host.",
  request_unseen: "Only some kinds of request are allowed, and this one could not be told apart.",
  path_ambiguous: "Its path could be read in more than one way.",
  denied: "The user was asked and did not allow it.",
  no_longer_allowed: "Broken off: since a change of the rules it is not allowed any more.",
  unrecorded: "Handrail could not write it down, so it did not go out. The disk may be full.",
  sni_mismatch: "Its TLS asked for another host than the one that was allowed.",
  host_mismatch: "Its Host header named another host than its address.",
  address_forbidden: "The host is not on the public internet.",
  name_unresolved: "The name of the host could not be resolved.",
  unreachable: "The host did not answer.",
  timed_out: "No whole request came in time.",
  request_invalid: "It was no valid HTTP request.",
  command_unsupported: "The proxy does not serve this command of SOCKS.",
  too_many_connections: "The conversation has too many connections open.",
  too_many_requests: "The conversation sent too many requests in a minute.",
  too_many_bytes: "The conversation has used up its bytes.",
  push_not_allowed: "No rule allows this push.",
  upstream_untrusted: "The host's certificate is not trusted.",
  tls_failed: "The TLS handshake with the program in the sandbox failed.",
  answer_unreadable: "The answer could not be searched for secrets, so it was held back.",
  cut: "The server ended while it was under way.",
} as const;

export type NetworkReason = keyof typeof NETWORK_REASONS;

/** The sentence for a code of whatever version. */
export function describeReason(code: string): string {
  const known: Readonly<Record<string, string>> = NETWORK_REASONS;
  return Object.hasOwn(known, code) ? (known[code] ?? code) : `The reason is ${code}.`;
}
