import { hash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Books } from "../ports/books.ts";
import type { KeyRecord, Owner } from "../ports/keys.ts";

/** The key that may do everything. It is not in the books, so another one counts from the next start on. */
export type MasterKey = {
  readonly key: string;
  /** Where it is kept when it was not given. */
  readonly file: string | undefined;
};

/** The one that was given, else the one in the state directory, which is made when there is none. */
export function masterKeyIn(home: string, given: string | undefined): MasterKey {
  if (given !== undefined) return { key: given, file: undefined };
  const file = join(home, "gateway-master-key");
  if (!existsSync(file)) {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    writeFileSync(file, `sk-${randomBytes(24).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
  }
  return { key: readFileSync(file, "utf8").trim(), file };
}

const MASTER_ID = "master";

const ADMIN: Owner = { kind: "user", id: "admin" };

/** The same books, which know this master key too. What is spent by it, and keys made by it for nobody else, are `owner`'s. */
export function withMasterKey(books: Books, key: string, owner: Owner = ADMIN): Books {
  const record: KeyRecord = {
    id: MASTER_ID,
    hash: hash("sha256", key),
    hint: "master",
    name: "master key",
    owner,
    limits: {},
    createdAt: 0,
    admin: true,
  };
  const { keys } = books;
  return {
    ledger: books.ledger,
    trouble: () => books.trouble(),
    close: () => books.close(),
    keys: {
      ...keys,
      find: (wanted) => (wanted === record.hash ? Promise.resolve(record) : keys.find(wanted)),
      get: (id) => (id === MASTER_ID ? Promise.resolve(record) : keys.get(id)),
    },
  };
}
