import type { AdminContext } from "./admin.ts";

/** US dollars that a key, a user or a team has spent, ever. */
export async function spentBy({ books }: AdminContext, by: "key" | "user" | "team", id: string): Promise<number> {
  const filter = by === "key" ? { keyId: id } : by === "team" ? { teamId: id } : { ownerId: id };
  const rows = await books.ledger.spend(by, filter);
  return rows.filter(({ group }) => group === id).reduce((sum, { costUsd }) => sum + costUsd, 0);
}
