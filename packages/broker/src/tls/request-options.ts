import type { IncomingMessage } from "node:http";
import { forwardedHeaders } from "../forwarded-headers.ts";
import { parseTarget, type Target } from "../host.ts";
import type { WithSecrets } from "../secrets/put-secrets.ts";

const MAX_HEADER_BYTES = 32 * 1024;

/** What a request is sent on with. */
export function requestOptions(request: IncomingMessage, target: Target, put: WithSecrets) {
  return {
    host: target.host.name,
    port: target.port,
    method: request.method,
    path: request.url,
    headers: [...put.headers],
    setHost: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    insecureHTTPParser: false,
  };
}

/**
 * The headers to send on, names and values in turn. Framing is this program's own: what was parsed one way cannot be read in another behind it.
 */
export function requestHeaders(request: IncomingMessage, target: Target, defaultPort: number): string[] {
  const pairs = forwardedHeaders(request.rawHeaders);
  const kept = pairs.filter((_, index) => pairs[index - (index % 2)]?.toLowerCase() !== "host");
  const expects = request.headers.expect === undefined ? [] : ["Expect", "100-continue"];
  const chunked = request.headers["transfer-encoding"] === undefined ? [] : ["Transfer-Encoding", "chunked"];
  const bodyless = chunked.length === 0 && request.headers["content-length"] === undefined;
  const empty = bodyless && ["POST", "PUT", "PATCH"].includes(request.method ?? "") ? ["Content-Length", "0"] : [];
  return ["Host", hostField(target, defaultPort), ...kept, ...chunked, ...empty, ...expects];
}

function hostField({ host, port }: Target, defaultPort: number): string {
  const name = host.address && host.name.includes(":") ? `[${host.name}]` : host.name;
  return port === defaultPort ? name : `${name}:${port}`;
}

/**
 * Whether the Host header names the target. The port of the scheme need not be said. Without one, as in plain HTTP/1.0, a
 * request says nothing else; over TLS it is none.
 */
export function isFor(header: string | undefined, { host, port }: Target, defaultPort: number): boolean {
  if (header === undefined) return defaultPort === 80;
  const said = parseTarget(header, defaultPort);
  return said?.host.name === host.name && said.port === port;
}

/** The path and the query, which has its question mark. */
export function splitUrl(url: string): readonly [string, string?] {
  const at = url.indexOf("?");
  return at === -1 ? [url] : [url.slice(0, at), url.slice(at)];
}
