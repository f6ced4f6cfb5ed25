import { createHash, randomBytes } from "node:crypto";

/** A new virtual key: 192 random bits. */
export function newKeyText(): string {
  return `sk-${randomBytes(24).toString("base64url")}`;
}

/** SHA-256 in hex, as LiteLLM stores keys. */
export function hashKey(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

const LONG_ENOUGH_TO_SHOW = 16;

/** The ends of a key, for people to tell keys apart by. Of a short key only its first characters. */
export function keyHint(key: string): string {
  return key.length < LONG_ENOUGH_TO_SHOW ? `${key.slice(0, 3)}…` : `${key.slice(0, 6)}…${key.slice(-4)}`;
}
