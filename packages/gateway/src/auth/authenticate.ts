import { hash } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { AppError } from "@handrail/protocol/errors";
import type { Core } from "../flow/core.ts";
import type { Books } from "../ports/books.ts";
import { type KeyRecord, type OwnerRecord, scopesOf } from "../ports/keys.ts";
import type { LimitedScope } from "../ports/limits.ts";

/** Whoever asks: a key, what limits it, and which models all of its owners allow. */
export type Caller = {
  readonly key: KeyRecord;
  readonly scopes: readonly LimitedScope[];
  allows(model: string): boolean;
};

const MAX_KEY_CHARACTERS = 512;

/**
 * Who sends a request. A key that nobody has is told to the observer.
 * @throws AppError `key_missing`, `key_invalid`, `key_expired`, `books_unavailable`
 */
export async function authenticate(
  { books, observer }: Pick<Core, "books" | "observer">,
  { headers, socket }: Pick<IncomingMessage, "headers" | "socket">,
  now: number,
): Promise<Caller> {
  const sent = sentKey(headers);
  if (sent === undefined) {
    throw new AppError("key_missing", "No key was sent. Send one as `authorization: Bearer` or as `x-api-key`.");
  }
  const key = await books.keys.find(hash("sha256", sent));
  if (key === undefined) {
    observer.wrongKey?.(socket.remoteAddress);
    throw new AppError("key_invalid", "This key is not known to the gateway.");
  }
  if (key.revokedAt !== undefined && key.revokedAt <= now) throw new AppError("key_invalid", "This key was revoked.");
  if (key.expiresAt !== undefined && key.expiresAt <= now) {
    throw new AppError("key_expired", `This key expired at ${new Date(key.expiresAt).toISOString()}.`);
  }
  const owners = await ownersOf(books, key);
  const lists = [key.models, ...owners.map(({ models }) => models)].filter((models) => models !== undefined);
  return {
    key,
    scopes: scopesOf(key, owners),
    allows: (model) => lists.every((names) => names.some((name) => matches(name, model))),
  };
}

function sentKey(headers: IncomingHttpHeaders): string | undefined {
  const [, bearer] = /^Bearer\s+(\S+)\s*$/i.exec(headers.authorization ?? "") ?? [];
  const key =
    bearer ?? single(headers["x-api-key"]) ?? single(headers["api-key"]) ?? single(headers["x-litellm-api-key"]);
  const plain = key?.replace(/^Bearer\s+/i, "");
  return plain === undefined || plain === "" || plain.length > MAX_KEY_CHARACTERS ? undefined : plain;
}

const single = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value);

async function ownersOf({ keys }: Books, key: KeyRecord): Promise<readonly OwnerRecord[]> {
  const owner = await keys.owner(key.owner);
  if (key.teamId === undefined) return owner ? [owner] : [];
  const team = await keys.owner({ kind: "team", id: key.teamId });
  const sameTeam = team?.kind === owner?.kind && team?.id === owner?.id;
  return [owner, sameTeam ? undefined : team].filter((record) => record !== undefined);
}

/** LiteLLM's words for all models are an empty list and `all-proxy-models`. */
function matches(name: string, model: string): boolean {
  if (name === model || name === "all-proxy-models") return true;
  return name.endsWith("*") && model.startsWith(name.slice(0, -1));
}
