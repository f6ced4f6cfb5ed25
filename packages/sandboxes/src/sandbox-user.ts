import { createHash } from "node:crypto";

/** The user of a sandbox with the profile `dev`, inside. */
export const ROOT = 0;

type Range = { readonly first: number; readonly count: number };

/** Ids that neither Debian, systemd nor shadow's subordinate ids give away. Source: systemd.io/UIDS-GIDS */
const UNUSED: Range = { first: 0x7000_0000, count: 0x0ff0_0000 };
/** What a user namespace of the usual 65,536 ids has, without those of an image's own users. */
const WITHIN_NAMESPACE: Range = { first: 4_096, count: 0xe000 };

/** How many users of the host a sandbox with users of its own has: those of packages, some people, and nobody. */
export const OWN_IDS = 1024;

/** How many users of the host a pod with a user namespace has: all that images know, nobody included. */
export const POD_IDS = 65_536;

/**
 * The user of the host that a conversation's sandbox runs as: when the server is root, one of its own, without a name;
 * otherwise undefined, the server's own. `ids`: it is the first of so many.
 */
export function sandboxUid(conversationId: string, asRoot: boolean, ids = 1): number | undefined {
  if (!asRoot) return undefined;
  const { first, count } = UNUSED;
  return first + derived(conversationId, { first: 0, count: Math.floor(count / ids) }) * ids;
}

/** The user in a conversation's container: one of its own also on the host. `namespaced`: the daemon shifts all ids. */
export function containerUid(conversationId: string, namespaced: boolean): number {
  return derived(conversationId, namespaced ? WITHIN_NAMESPACE : UNUSED);
}

/** The same user, or where others have that one the next that nobody has. `taken`: users of a daemon that shifts all ids. */
export function freeUser(user: number, taken: ReadonlySet<number>): number {
  if (!taken.has(user) || user === ROOT) return user;
  const { first, count } = WITHIN_NAMESPACE;
  const next = Array.from({ length: count }, (_, step) => first + ((user - first + step) % count));
  return next.find((one) => !taken.has(one)) ?? user;
}

/** So many of the users that containers can have, from the first to the last. */
export function someUsers(namespaced: boolean, many: number): readonly number[] {
  const { first, count } = namespaced ? WITHIN_NAMESPACE : UNUSED;
  return Array.from({ length: many }, (_, index) => first + Math.floor((index * (count - 1)) / (many - 1)));
}

function derived(conversationId: string, { first, count }: Range): number {
  const hash = createHash("sha256").update(conversationId).digest();
  return first + (hash.readUInt32BE(0) % count);
}
