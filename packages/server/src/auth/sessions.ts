import type { Clock } from "@handrail/core/ports/clock";
import { z } from "zod";
import type { JsonFile } from "../settings/json-file.ts";
import { hashOf, newSecret } from "./sign-in-tokens.ts";

const Session = z.object({ userId: z.string(), expiresAt: z.number() });

/** What `sessions.json` holds: sessions by the SHA-256 of their secret. */
export const SessionsFile = z.record(z.string(), Session);
type SessionsFile = z.infer<typeof SessionsFile>;

/** Browser sessions. They survive restarts; what is stored cannot be used to sign in. */
export type Sessions = {
  /** A new session's secret, for the cookie. */
  start(userId: string): Promise<string>;
  /** Whose session this is; undefined for none, or one that is over. */
  find(secret: string): { readonly userId: string } | undefined;
  end(secret: string): Promise<void>;
  /** Whether the session with this hash is not over, for what ends with it. */
  isAlive(hash: string): boolean;
};

export const SESSION_LIFE_MS = 30 * 86_400_000;
const MAX_SESSIONS = 1000;

/** Opens the stored sessions. */
export async function openSessions(file: JsonFile<SessionsFile>, clock: Pick<Clock, "now">): Promise<Sessions> {
  let stored: SessionsFile = (await file.read()) ?? {};
  let saved: Promise<void> = Promise.resolve();
  const save = () => (saved = saved.catch(() => undefined).then(() => file.write(stored)));
  const alive = () => Object.entries(stored).filter(([, session]) => session.expiresAt > clock.now());
  return {
    async start(userId) {
      const secret = newSecret();
      const session = { userId, expiresAt: clock.now() + SESSION_LIFE_MS };
      stored = Object.fromEntries([...alive(), [hashOf(secret), session] as const].slice(-MAX_SESSIONS));
      await save();
      return secret;
    },
    find(secret) {
      const session = stored[hashOf(secret)];
      return session === undefined || session.expiresAt <= clock.now() ? undefined : { userId: session.userId };
    },
    isAlive: (hash) => (stored[hash]?.expiresAt ?? 0) > clock.now(),
    async end(secret) {
      stored = Object.fromEntries(alive().filter(([hash]) => hash !== hashOf(secret)));
      await save();
    },
  };
}
