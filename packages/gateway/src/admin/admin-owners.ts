import type { Books } from "../ports/books.ts";
import type { OwnerRecord } from "../ports/keys.ts";
import type { OwnerInfo } from "@handrail/protocol/gateway";
import type { BooksAdmin } from "@handrail/protocol/books-admin";
import { bookLimits, standingsOf } from "./standings.ts";

/** Users and teams with limits over all of their keys. */
export function adminOwners(books: Books): BooksAdmin["owners"] {
  const list = async () => {
    const [users, teams] = await Promise.all([books.keys.owners("user"), books.keys.owners("team")]);
    return [...(await shown(books, "user", users)), ...(await shown(books, "team", teams))];
  };
  return {
    list,
    async save({ kind, id }, { name, limits }) {
      const known = await books.keys.owner({ kind, id });
      const models = known?.models === undefined ? {} : { models: known.models };
      const record = { kind, id, name, limits: bookLimits(limits), ...models };
      await books.keys.saveOwner(record);
      const [info] = await shown(books, kind, [record]);
      return info ?? { kind, id, name, limits, standings: [], spentUsd: 0 };
    },
  };
}

async function shown(
  books: Books,
  kind: OwnerRecord["kind"],
  records: readonly OwnerRecord[],
): Promise<readonly OwnerInfo[]> {
  const scopes = records.map(({ id, limits }) => ({ id: `${kind}:${id}`, limits }));
  const standings = await standingsOf(books, kind, scopes);
  return records.map(({ id, name, limits }) => ({
    kind,
    id,
    name,
    limits,
    standings: standings.of(`${kind}:${id}`),
    spentUsd: standings.spent(id),
  }));
}
