import type { Books } from "../ports/books.ts";
import type { KeyRecord, NewKey } from "../ports/keys.ts";
import { AppError } from "@handrail/protocol/errors";
import type { KeyChange, KeyInfo, KeyInput } from "@handrail/protocol/gateway";
import type { BooksAdmin } from "@handrail/protocol/books-admin";
import { defined } from "../litellm/defined.ts";
import { bookLimits, type Standings, standingsOf } from "./standings.ts";

type Parts = { readonly books: Books; readonly now: () => number };

/** Virtual keys as the page and the terminal see them. Keys of conversations are left out. */
export function adminKeys({ books, now }: Parts): BooksAdmin["keys"] {
  const { keys } = books;
  const shown = async (record: KeyRecord) => infoOf(record, await standingsFor(books, [record]));
  const known = async (id: string) => {
    const record = await keys.get(id);
    if (record !== undefined && record.conversationId === undefined) return record;
    throw new AppError("key_not_found", "There is no key with this id.");
  };
  return {
    async list() {
      const records = (await keys.list()).filter(({ conversationId }) => conversationId === undefined);
      const standings = await standingsFor(books, records);
      return records.map((record) => infoOf(record, standings));
    },
    async create(userId, input) {
      const { key, record } = await keys.create(newKey(userId, input));
      return { key, info: await shown(record) };
    },
    async change(id, change) {
      await known(id);
      return shown(await keys.change(id, changeOf(change)));
    },
    async rotate(id, keepOldForMs) {
      await known(id);
      const { key, record } = await keys.rotate(id, keepOldForMs === 0 ? undefined : now() + keepOldForMs);
      return { key, info: await shown(record) };
    },
    async revoke(id) {
      await known(id);
      return shown(await keys.revoke(id));
    },
    async import(source) {
      const { importFrom } = await import("../litellm/import/import-from.ts");
      const { left, ...counts } = await importFrom(source, keys);
      return { ...counts, left: [...left] };
    },
  };
}

const scopeOf = ({ id }: KeyRecord) => `key:${id}`;

function standingsFor(books: Books, records: readonly KeyRecord[]): Promise<Standings> {
  const scopes = records.map((record) => ({ id: scopeOf(record), limits: record.limits }));
  return standingsOf(books, "key", scopes);
}

function newKey(userId: string, input: KeyInput): NewKey {
  const { name, owner, admin, ...rest } = input;
  return {
    name,
    owner: owner ?? { kind: "user", id: userId },
    limits: bookLimits(input.limits),
    ...(admin !== undefined && { admin }),
    ...defined(optional(rest)),
  };
}

function changeOf({ name, limits, ...rest }: KeyChange) {
  return { ...(name !== undefined && { name }), ...(limits && { limits: bookLimits(limits) }), ...optional(rest) };
}

/** What may be absent, and what is to be taken away. */
function optional({ teamId, models, expiresAt, cache }: Pick<KeyChange, "teamId" | "models" | "expiresAt" | "cache">) {
  return {
    ...(teamId !== undefined && { teamId: teamId ?? undefined }),
    ...(models !== undefined && { models: models ?? undefined }),
    ...(expiresAt !== undefined && { expiresAt: expiresAt ?? undefined }),
    ...(cache !== undefined && { cache }),
  };
}

function infoOf(record: KeyRecord, standings: Standings): KeyInfo {
  const { id, hint, name, owner, limits, createdAt, admin, cache, teamId, models, expiresAt, revokedAt } = record;
  return {
    id,
    hint,
    name,
    owner,
    limits,
    standings: standings.of(scopeOf(record)),
    spentUsd: standings.spent(id),
    createdAt,
    admin,
    cache: cache ?? "off",
    ...(teamId !== undefined && { teamId }),
    ...(models !== undefined && { models: [...models] }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(revokedAt !== undefined && { revokedAt }),
  };
}
