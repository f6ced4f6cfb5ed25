import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "@handrail/core/ports/clock";
import { AppError } from "@handrail/protocol/errors";

/** One-time tokens that become a session. Kept in memory only, as hashes: a restart makes a new one. */
export type SignInTokens = {
  /** A new token of 256 random bits, good once within `lifeMs`. */
  mint(lifeMs: number): { readonly token: string; readonly expiresAt: number };
  /** Uses the token up. @throws AppError `token_used` for one that is used, too old, or not ours */
  redeem(token: string): void;
};

const MAX_OPEN = 100;

export function signInTokens(clock: Pick<Clock, "now">): SignInTokens {
  const open = new Map<string, number>();
  return {
    mint(lifeMs) {
      const token = newSecret();
      const expiresAt = clock.now() + lifeMs;
      open.set(hashOf(token), expiresAt);
      const [oldest] = open.keys();
      if (open.size > MAX_OPEN && oldest !== undefined) open.delete(oldest);
      return { token, expiresAt };
    },
    redeem(token) {
      const hash = hashOf(token);
      const expiresAt = open.get(hash);
      open.delete(hash);
      if (expiresAt === undefined || expiresAt < clock.now()) throw used();
    },
  };
}

/** 256 random bits as base64url. */
export const newSecret = () => randomBytes(32).toString("base64url");

/**
 * SHA-256 of a secret, as hex. Secrets are looked up by it, so how long a look-up takes tells nothing about a secret.
 */
export const hashOf = (secret: string) => createHash("sha256").update(secret).digest("hex");

const used = () =>
  new AppError(
    "token_used",
    "This sign-in link was used already, or is too old. Get a new one with `npx handrail open`, or restart Handrail.",
  );
