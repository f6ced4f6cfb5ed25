import { timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { AppError } from "@handrail/protocol/errors";
import { parseCookie } from "./cookies.ts";
import type { Addresses } from "./addresses.ts";
import type { Sessions } from "./sessions.ts";
import type { TeamsOf } from "./teams.ts";

/**
 * Who asks, and which teams that user belongs to. `session` is the cookie's secret; undefined for the local program that
 * read `server.json`.
 */
export type Identity = {
  readonly userId: string;
  readonly teams: readonly string[];
  readonly session: string | undefined;
};

/** The one user of a server without accounts. */
export const LOCAL_USER = "local";

export type Identify = (headers: IncomingHttpHeaders, unsafe: boolean) => Identity | undefined;

export type IdentifyParts = {
  readonly sessions: Pick<Sessions, "find">;
  readonly addresses: Addresses;
  readonly cookieName: string;
  readonly localToken: string;
  readonly teamsOf: TeamsOf;
};

/**
 * Tells who asks, by bearer token or cookie; undefined for nobody. A cookie travels with what foreign pages send, so
 * an `unsafe` request by cookie must name its origin.
 * @throws AppError `bad_origin`; `not_signed_in` for a bearer token that is not ours
 */
export function identifyBy({ sessions, addresses, cookieName, localToken, teamsOf }: IdentifyParts): Identify {
  const identity = (userId: string, session: string | undefined) => ({ userId, teams: teamsOf(userId), session });
  return (headers, unsafe) => {
    const { origin, host, authorization } = headers;
    if (unsafe && origin !== undefined) addresses.checkOrigin(origin, host);
    if (authorization !== undefined) {
      if (sameSecret(authorization, `Bearer ${localToken}`)) return identity(LOCAL_USER, undefined);
      throw new AppError("not_signed_in", "The token is not this server's. It changes with each start of Handrail.");
    }
    const session = parseCookie(headers.cookie, cookieName);
    const found = session === undefined ? undefined : sessions.find(session);
    if (found === undefined || session === undefined) return undefined;
    if (unsafe) addresses.checkOrigin(origin, host);
    return identity(found.userId, session);
  };
}

function sameSecret(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
