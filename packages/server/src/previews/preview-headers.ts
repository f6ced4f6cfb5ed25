import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { COOKIE_PREFIX } from "../auth/cookies.ts";

/** A preview as its headers see it. */
export type PreviewSide = {
  readonly port: number;
  /** As the browser sees it. */
  readonly origin: string;
  readonly ownOrigin: boolean;
};

/** Of one connection only (RFC 9110 §7.6.1), or said anew by us. */
const NOT_PASSED = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
const SAID_ANEW = new Set(["host", "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "expect"]);
/** What would change how the browser treats the host for longer than the preview lasts. */
const NOT_ANSWERED = new Set(["strict-transport-security", "public-key-pins", "alt-svc", "clear-site-data"]);

/**
 * What the program in the sandbox gets: the browser's headers as if it were asked on its own port, without Handrail's
 * cookies. Development servers refuse names that they do not know, so `Host` and `Origin` name the port itself.
 */
export function requestHeaders(headers: IncomingHttpHeaders, side: PreviewSide): OutgoingHttpHeaders {
  const local = `http://localhost:${side.port}`;
  const passed = Object.entries(headers).filter(
    ([name]) => !NOT_PASSED.has(name) && !SAID_ANEW.has(name) && name !== "cookie",
  );
  const url = new URL(side.origin);
  const cookie = foreignCookies(headers.cookie);
  const { origin, referer } = headers;
  return {
    ...Object.fromEntries(passed),
    host: `localhost:${side.port}`,
    "x-forwarded-host": url.host,
    "x-forwarded-proto": url.protocol.slice(0, -1),
    ...(origin === side.origin && { origin: local }),
    ...(referer?.startsWith(`${side.origin}/`) && { referer: local + referer.slice(side.origin.length) }),
    ...(cookie !== "" && { cookie }),
  };
}

/**
 * What the browser gets. Cookies stay on the preview's own host and cannot take the name of ours; redirects to the port
 * itself lead to the preview.
 */
export function responseHeaders(headers: IncomingHttpHeaders, side: PreviewSide): OutgoingHttpHeaders {
  const passed = Object.entries(headers).filter(
    ([name]) => !NOT_PASSED.has(name) && !NOT_ANSWERED.has(name) && name !== "set-cookie",
  );
  const cookies = (headers["set-cookie"] ?? []).flatMap(ownCookie);
  const { location } = headers;
  const [, path] = /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\]):(?:\d+)(\/.*)?$/.exec(location ?? "") ?? [];
  const samePort = location !== undefined && URL.canParse(location) && new URL(location).port === String(side.port);
  const kept = Object.fromEntries(passed.filter(([name]) => side.ownOrigin || name !== "service-worker-allowed"));
  return {
    ...kept,
    ...(samePort && { location: path ?? "/" }),
    ...(cookies.length > 0 && { "set-cookie": cookies }),
    "x-robots-tag": "noindex",
  };
}

function foreignCookies(header: string | undefined): string {
  return (header ?? "")
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair !== "" && !isOurs(pair))
    .join("; ");
}

/** Without its `Domain`: a cookie for a parent domain would reach Handrail's own page, and other previews. */
function ownCookie(cookie: string): string[] {
  if (isOurs(cookie.trim())) return [];
  const [pair, ...attributes] = cookie.split(";");
  return [[pair, ...attributes.filter((attribute) => !/^\s*domain\s*=/i.test(attribute))].join(";")];
}

/**
 * The page's session among them: cookies of one host go to all of its ports. A cookie without a name is sent as its value
 * alone, which looks like one with a name. Source: RFC 6265bis §5.7
 */
const isOurs = (pair: string) => pair.replace(/^[\s=]*(?:__(?:Host|Secure)-)?/i, "").startsWith(COOKIE_PREFIX);
