import type { Kysely } from "kysely";
import type { KeyRecord } from "../ports/keys.ts";
import { keyRecord } from "./key-rows.ts";
import type { Tables } from "./tables.ts";

const withHashes = (db: Kysely<Tables>) =>
  db
    .selectFrom("key_hashes")
    .innerJoin("keys", "keys.id", "key_hashes.key_id")
    .selectAll("keys")
    .select(["key_hashes.hash", "key_hashes.hint", "key_hashes.until"]);

/** By any of its hashes. */
export async function findRecord(db: Kysely<Tables>, hash: string): Promise<KeyRecord | undefined> {
  const row = await withHashes(db).where("key_hashes.hash", "=", hash).executeTakeFirst();
  return row && keyRecord(row, row);
}

/** Through its newest hash: the one without an end. */
export async function recordOf(db: Kysely<Tables>, id: string): Promise<KeyRecord | undefined> {
  const row = await withHashes(db)
    .where("key_hashes.key_id", "=", id)
    .where("key_hashes.until", "is", null)
    .orderBy("key_hashes.created_at", "desc")
    .limit(1)
    .executeTakeFirst();
  return row && keyRecord(row, row);
}

/** All keys, the oldest first. */
export async function listRecords(db: Kysely<Tables>): Promise<readonly KeyRecord[]> {
  const query = withHashes(db).where("key_hashes.until", "is", null);
  const rows = await query.orderBy("keys.created_at").orderBy("keys.id").execute();
  return rows.map((row) => keyRecord(row, row));
}

/** How long a hash that opens nothing any more is kept, so that its key is called expired and not unknown. */
const OLD_HASHES_KEPT_MS = 30 * 86_400_000;

export type NewHash = { readonly id: string; readonly hash: string; readonly hint: string };
type Rotation = { readonly at: number; readonly oldUntil: number | undefined };

/** The new hash opens the key before the old ones stop, so that a crash in between leaves no key without one. */
export async function replaceHash(
  db: Kysely<Tables>,
  { id, hash, hint }: NewHash,
  { at, oldUntil }: Rotation,
): Promise<void> {
  const until = oldUntil ?? at;
  await db.insertInto("key_hashes").values({ hash, hint, key_id: id, created_at: at, until: null }).execute();
  await db
    .updateTable("key_hashes")
    .set({ until })
    .where("key_id", "=", id)
    .where("hash", "<>", hash)
    .where((it) => it.or([it("until", "is", null), it("until", ">", until)]))
    .execute();
  const forgotten = db.deleteFrom("key_hashes").where("key_id", "=", id);
  await forgotten.where("until", "<", at - OLD_HASHES_KEPT_MS).execute();
}

/** Gives whether it was written: false when the hash opens another key already. */
export async function insertKey(
  db: Kysely<Tables>,
  row: Tables["keys"],
  { hash, hint }: Pick<NewHash, "hash" | "hint">,
): Promise<boolean> {
  await db.insertInto("keys").values(row).execute();
  const opens = { hash, hint, key_id: row.id, created_at: row.created_at, until: null };
  const insertion = db
    .insertInto("key_hashes")
    .values(opens)
    .onConflict((it) => it.doNothing());
  const { numInsertedOrUpdatedRows } = await insertion.executeTakeFirstOrThrow();
  if (numInsertedOrUpdatedRows !== 0n) return true;
  await db.deleteFrom("keys").where("id", "=", row.id).execute();
  return false;
}
