import { isIP } from "node:net";

/** A host in the one form that rules are compared in. `address` is an IP literal without brackets. */
export type Host = { readonly name: string; readonly address: boolean };

export type Target = { readonly host: Host; readonly port: number };

const NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*$/;

/**
 * The host that a text names, or undefined when it names none. Case, IDNA, percent-encoding and the odd forms of IPv4
 * (`0x7f.1`, `2130706433`, `017700000001`) are resolved as browsers do (WHATWG URL 3.5), so that all spellings of one
 * host are one; one dot at the end is dropped; IPv6 is in brackets and has no zone.
 */
export function parseHost(text: string): Host | undefined {
  if (text.length > 1024 || /[\s/?#@\\]|:\d*$/.test(text)) return undefined;
  const parsed = URL.parse(`http://${text}/`);
  if (parsed === null || parsed.port !== "" || parsed.pathname !== "/") return undefined;
  const name = parsed.hostname.replace(/\.$/, "");
  const bare = name.replace(/^\[(.*)\]$/, "$1");
  if (isIP(bare) !== 0) return { name: bare, address: true };
  return NAME.test(name) ? { name, address: false } : undefined;
}

/** `host:port`, as CONNECT names it (RFC 9110 9.3.6); a port is needed unless a default is given. */
export function parseTarget(text: string, defaultPort?: number): Target | undefined {
  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d{1,5}))?$/.exec(text);
  const host = parseHost(match?.[1] ?? "");
  const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
  if (host === undefined || port === undefined || port < 1 || port > 65_535) return undefined;
  return { host, port };
}
