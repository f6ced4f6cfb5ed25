import type { KeyRecord, OwnerRecord } from "../../ports/keys.ts";
import type { AdminContext } from "./admin.ts";
import { keyInfo, ownerInfo } from "./wire.ts";

/** A key as LiteLLM shows it, with all that it has ever spent. @throws AppError `books_unavailable` */
export async function shownKey(context: AdminContext, key: KeyRecord): Promise<object> {
  return keyInfo(key, await spentBy(context, "key", key.id), context.now());
}

/** A user or a team as LiteLLM shows it, with all that it has ever spent. @throws AppError `books_unavailable` */
export async function shownOwner(context: AdminContext, owner: OwnerRecord): Promise<object> {
  return ownerInfo(owner, await spentBy(context, owner.kind, owner.id), context.now());
}

/** In US dollars. */
async function spentBy({ books }: AdminContext, by: "key" | "user" | "team", id: string): Promise<number> {
  const filter = by === "key" ? { keyId: id } : by === "team" ? { teamId: id } : { ownerId: id };
  const rows = await books.ledger.spend(by, filter);
  return rows.filter(({ group }) => group === id).reduce((sum, { costUsd }) => sum + costUsd, 0);
}
