import { createHash } from "node:crypto";

/** All cookies of ours begin with this, after `__Host-` where they have it. */
export const COOKIE_PREFIX = "handrail_";

/**
 * A name that differs between installations: cookies do not tell ports of one host apart (RFC 6265 §8.5). Over HTTPS no
 * other host of the same domain can set it (RFC 6265bis §4.1.3.2).
 */
export function cookieNameFor(home: string, secure: boolean): string {
  return `${secure ? "__Host-" : ""}${COOKIE_PREFIX}${createHash("sha256").update(home).digest("hex").slice(0, 8)}`;
}

/** The value of one cookie in a `Cookie` header (RFC 6265 §4.2). */
export function parseCookie(header: string | undefined, name: string): string | undefined {
  const found = (header ?? "").split(";").find((pair) => pair.trimStart().startsWith(`${name}=`));
  return found?.trim().slice(name.length + 1);
}

/** A `Set-Cookie` value that no script and no other site can use; `maxAgeS` 0 removes it. */
export function cookieText(name: string, value: string, { maxAgeS, secure }: { maxAgeS: number; secure: boolean }) {
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeS}${secure ? "; Secure" : ""}`;
}
