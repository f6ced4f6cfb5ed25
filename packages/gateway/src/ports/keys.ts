import type { BookLimits, LimitedScope } from "./limits.ts";

export type OwnerKind = "user" | "team";
export type Owner = { readonly kind: OwnerKind; readonly id: string };

/** A virtual key as the gateway keeps it: never the key itself. Times are Unix milliseconds. */
export type KeyRecord = {
  readonly id: string;
  /** SHA-256 of the key in hex, as LiteLLM stores it. */
  readonly hash: string;
  /** The first and last characters, for people. */
  readonly hint: string;
  readonly name: string;
  readonly owner: Owner;
  /** A team that the key's user acts for; its limits count too. */
  readonly teamId?: string;
  /** Of the agent's own keys. */
  readonly conversationId?: string;
  /** Names, which may end in `*`. Undefined: all. */
  readonly models?: readonly string[];
  readonly limits: BookLimits;
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly revokedAt?: number;
  /** Whoever has it may manage keys over the LiteLLM routes. */
  readonly admin: boolean;
  /** Whether answers are cached, and who shares them. `off` when undefined. */
  readonly cache?: CacheScope;
  readonly metadata?: Readonly<Record<string, string>>;
};

/** Who sees whose cached answers. */
export type CacheScope = "off" | "key" | "team" | "all";

/** A user or team of whom keys, limits and spend are kept. */
export type OwnerRecord = Owner & {
  readonly name: string;
  readonly limits: BookLimits;
  readonly models?: readonly string[];
};

export type NewKey = Pick<KeyRecord, "name" | "owner" | "limits"> &
  Partial<Pick<KeyRecord, "teamId" | "conversationId" | "models" | "expiresAt" | "admin" | "cache" | "metadata">>;

/** What may change of a key. A field that is there and undefined is taken away. */
export type KeyChange = { readonly [Field in keyof Omit<NewKey, "owner">]?: NewKey[Field] | undefined };

/**
 * Virtual keys and their owners. A key that was revoked, changed or has expired is so at once, on every replica.
 *
 * @throws AppError `books_unavailable`, and from changes `key_not_found`
 */
export type Keys = {
  /**
   * By the hash of what the client sent; undefined when there is none. Revoked and expired ones are given too: the caller
   * looks at their times. Known keys are answered while the store is away.
   */
  find(hash: string): Promise<KeyRecord | undefined>;
  /**
   * The key is given this once. `key` sets what it is, as for an import or a chosen one.
   * @throws AppError `bad_request` when that key exists
   */
  create(wanted: NewKey, key?: string): Promise<{ readonly key: string; readonly record: KeyRecord }>;
  /** For a key known only by its hash, as in LiteLLM's tables. One that exists stays as it is, and is given. */
  adopt(wanted: NewKey & { readonly hash: string; readonly hint: string }): Promise<KeyRecord>;
  get(id: string): Promise<KeyRecord | undefined>;
  list(): Promise<readonly KeyRecord[]>;
  change(id: string, change: KeyChange): Promise<KeyRecord>;
  /**
   * A new key to the same record: id, rights, limits and spend stay. The old one stops at `oldUntil`, at once when
   * undefined: found by it, the record expires then.
   */
  rotate(id: string, oldUntil?: number): Promise<{ readonly key: string; readonly record: KeyRecord }>;
  revoke(id: string): Promise<KeyRecord>;
  owner(owner: Owner): Promise<OwnerRecord | undefined>;
  owners(kind: OwnerKind): Promise<readonly OwnerRecord[]>;
  saveOwner(record: OwnerRecord): Promise<void>;
};

/** What of a key, its owner and its team limits a call. */
export function scopesOf(key: KeyRecord, owners: readonly OwnerRecord[]): readonly LimitedScope[] {
  const limited = owners.map(({ kind, id, limits }) => ({ id: `${kind}:${id}`, limits }));
  return [{ id: `key:${key.id}`, limits: key.limits }, ...limited];
}
