// RFC 9110 7.6.1, and what speaks to proxies alone. `expect` was answered by the time a body comes.
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "expect",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** A raw header list (names and values in turn) without what is meant for one connection only. Order and case stay. */
export function forwardedHeaders(raw: readonly string[]): string[] {
  const pairs = raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ""] as const] : []));
  const listed = pairs
    .filter(([name]) => name.toLowerCase() === "connection")
    .flatMap(([, value]) => value.split(",").map((token) => token.trim().toLowerCase()));
  const dropped = new Set([...HOP_BY_HOP, ...listed.filter((token) => !FRAMING.has(token))]);
  return pairs.filter(([name]) => !dropped.has(name.toLowerCase())).flat();
}

/** What says where a message ends and whom it is for: a sender cannot have these dropped. */
const FRAMING: ReadonlySet<string> = new Set(["content-length", "host"]);
