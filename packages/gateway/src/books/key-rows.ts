import type { CacheScope, KeyRecord, NewKey, OwnerKind, OwnerRecord } from "../ports/keys.ts";
import type { Tables } from "./tables.ts";

type HashColumns = Pick<Tables["key_hashes"], "hash" | "hint" | "until">;

/** A key as one of its hashes finds it: through an old one it ends when that does. */
export function keyRecord(row: Tables["keys"], { hash, hint, until }: HashColumns): KeyRecord {
  const expiresAt = earlier(row.expires_at, until);
  return {
    id: row.id,
    hash,
    hint,
    name: row.name,
    owner: { kind: row.owner_kind as OwnerKind, id: row.owner_id },
    ...(row.team_id !== null && { teamId: row.team_id }),
    ...(row.conversation_id !== null && { conversationId: row.conversation_id }),
    ...(row.models !== null && { models: JSON.parse(row.models) as string[] }),
    limits: JSON.parse(row.limits) as KeyRecord["limits"],
    createdAt: row.created_at,
    ...(expiresAt !== null && { expiresAt }),
    ...(row.revoked_at !== null && { revokedAt: row.revoked_at }),
    admin: row.admin === 1,
    ...(row.cache !== null && { cache: row.cache as CacheScope }),
    ...(row.metadata !== null && { metadata: JSON.parse(row.metadata) as Record<string, string> }),
  };
}

const earlier = (one: number | null, other: number | null): number | null =>
  one === null ? other : other === null ? one : Math.min(one, other);

/** The row of a new key. */
export function newKeyRow(id: string, wanted: NewKey, createdAt: number): Tables["keys"] {
  return {
    id,
    owner_kind: wanted.owner.kind,
    owner_id: wanted.owner.id,
    created_at: createdAt,
    revoked_at: null,
    ...(changedColumns({ ...UNSET, ...wanted }) as ChangeableColumns),
  };
}

type ChangeableColumns = Omit<Tables["keys"], "id" | "owner_kind" | "owner_id" | "created_at" | "revoked_at">;

const UNSET: Changeable = {
  teamId: undefined,
  conversationId: undefined,
  models: undefined,
  expiresAt: undefined,
  admin: undefined,
  cache: undefined,
  metadata: undefined,
};

type Changeable = { readonly [Field in keyof NewKey]?: unknown };

const json = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value));
const same = (value: unknown): unknown => value ?? null;

/** The column of each field that can change, and what stands in it. */
const COLUMNS: Readonly<Record<Exclude<keyof NewKey, "owner">, readonly [string, (value: unknown) => unknown]>> = {
  name: ["name", same],
  teamId: ["team_id", same],
  conversationId: ["conversation_id", same],
  models: ["models", json],
  limits: ["limits", (value) => JSON.stringify(value ?? {})],
  expiresAt: ["expires_at", same],
  admin: ["admin", (value) => (value === true ? 1 : 0)],
  cache: ["cache", same],
  metadata: ["metadata", json],
};

/** The columns of the fields that are there; one that is there and undefined is emptied. */
export function changedColumns(change: Changeable): Partial<Tables["keys"]> {
  const columns = Object.entries(COLUMNS)
    .filter(([field]) => field in change)
    .map(([field, [column, write]]) => [column, write(change[field as keyof NewKey])]);
  return Object.fromEntries(columns) as Partial<Tables["keys"]>;
}

export function ownerRecord(row: Tables["owners"]): OwnerRecord {
  return {
    kind: row.kind as OwnerKind,
    id: row.id,
    name: row.name,
    limits: JSON.parse(row.limits) as OwnerRecord["limits"],
    ...(row.models !== null && { models: JSON.parse(row.models) as string[] }),
  };
}

export function ownerRow({ kind, id, name, limits, models }: OwnerRecord): Tables["owners"] {
  return { kind, id, name, limits: JSON.stringify(limits), models: json(models) };
}
