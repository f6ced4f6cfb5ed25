import { expect, test } from "vitest";
import { hashKey } from "../books/key-text.ts";
import { codeOf, handClock, type BooksOpener } from "./books-opener.ts";
import { NOON, sampleKey } from "./books-samples.ts";

const FULL = sampleKey({
  teamId: "t_1",
  conversationId: "c_1",
  models: ["gpt-*"],
  limits: { budget: { usd: 1.5, period: "day" }, requestsPerMinute: 3 },
  expiresAt: NOON + 1000,
  admin: true,
  cache: "team",
  metadata: { app: "x" },
});

/** Keys and owners. */
export function keysContract(name: string, opener: BooksOpener): void {
  making(name, opener);
  changing(name, opener);
  owners(name, opener);
}

function making(name: string, { open, crash }: BooksOpener): void {
  test(`${name}: a new key is found by its hash, and by nothing else`, async () => {
    const now = handClock(NOON);
    const books = await open(now);
    const { key, record } = await books.keys.create(FULL);
    expect(key).toMatch(/^sk-[\w-]{32}$/);
    expect(record).toEqual({ ...FULL, id: record.id, hash: hashKey(key), hint: record.hint, createdAt: NOON });
    expect(record.hint).toBe(`${key.slice(0, 6)}…${key.slice(-4)}`);
    expect(await books.keys.find(record.hash)).toEqual(record);
    expect(await books.keys.find(key)).toBe(undefined);
    expect(await books.keys.get(record.id)).toEqual(record);
    expect(await books.keys.get("v_9")).toBe(undefined);
    const again = await crash(books, now);
    expect(await again.keys.find(record.hash)).toEqual(record);
  });

  test(`${name}: a key can be chosen, once`, async () => {
    const books = await open(handClock(NOON));
    expect(await books.keys.find(hashKey("sk-1234"))).toBe(undefined);
    const { key, record } = await books.keys.create(sampleKey(), "sk-1234");
    expect([key, record.hint, record.admin]).toEqual(["sk-1234", "sk-…", false]);
    expect(await books.keys.find(hashKey("sk-1234"))).toEqual(record);
    expect(await codeOf(books.keys.create(sampleKey(), "sk-1234"))).toBe("bad_request");
    expect(await books.keys.list()).toEqual([record]);
  });

  test(`${name}: a key of which only the hash is known is taken over, and the second time stays as it is`, async () => {
    const books = await open(handClock(NOON));
    const hash = hashKey("sk-from-litellm");
    const record = await books.keys.adopt({ ...sampleKey(), hash, hint: "sk-…tell" });
    expect(record).toMatchObject({ hash, hint: "sk-…tell", name: "laptop" });
    expect(await books.keys.adopt({ ...sampleKey({ name: "other" }), hash, hint: "x" })).toEqual(record);
    expect(await books.keys.find(hash)).toEqual(record);
  });
}

function changing(name: string, { open }: BooksOpener): void {
  test(`${name}: a change shows at the next look, and what is set to nothing is taken away`, async () => {
    const books = await open(handClock(NOON));
    const { record } = await books.keys.create(FULL);
    await books.keys.find(record.hash);
    const changed = await books.keys.change(record.id, {
      limits: { parallel: 1 },
      expiresAt: undefined,
      models: undefined,
    });
    const { expiresAt: _, models: __, ...rest } = record;
    expect(changed).toEqual({ ...rest, limits: { parallel: 1 } });
    expect(await books.keys.find(record.hash)).toEqual(changed);
  });

  test(`${name}: a revoked key says since when, also the second time`, async () => {
    const now = handClock(NOON);
    const books = await open(now);
    const { record } = await books.keys.create(sampleKey());
    await books.keys.find(record.hash);
    const revoked = await books.keys.revoke(record.id);
    expect(revoked).toEqual({ ...record, revokedAt: NOON });
    expect(await books.keys.find(record.hash)).toEqual(revoked);
    now.set(NOON + 5);
    expect(await books.keys.revoke(record.id)).toEqual(revoked);
  });

  test(`${name}: a new key in an old one's place has its id, and the old one stops when it should`, async () => {
    const now = handClock(NOON);
    const books = await open(now);
    const old = await books.keys.create(FULL);
    await books.keys.find(old.record.hash);
    now.set(NOON + 10);
    const second = await books.keys.rotate(old.record.id, NOON + 500);
    expect(second.record).toEqual({ ...old.record, hash: hashKey(second.key), hint: second.record.hint });
    expect(await books.keys.find(old.record.hash)).toEqual({ ...old.record, expiresAt: NOON + 500 });
    now.set(NOON + 20);
    const third = await books.keys.rotate(old.record.id);
    expect((await books.keys.find(second.record.hash))?.expiresAt).toBe(NOON + 20);
    expect((await books.keys.find(old.record.hash))?.expiresAt).toBe(NOON + 20);
    expect(await books.keys.list()).toEqual([third.record]);
    expect(await books.keys.find(third.record.hash)).toEqual(third.record);
  });

  test(`${name}: what is done to a key that is not there is refused`, async () => {
    const books = await open(handClock(NOON));
    expect(await codeOf(books.keys.change("v_9", { name: "x" }))).toBe("key_not_found");
    expect(await codeOf(books.keys.rotate("v_9"))).toBe("key_not_found");
    expect(await codeOf(books.keys.revoke("v_9"))).toBe("key_not_found");
  });
}

function owners(name: string, { open }: BooksOpener): void {
  test(`${name}: owners are kept with their limits, and a change shows at the next look`, async () => {
    const books = await open(handClock(NOON));
    const team = { kind: "team", id: "t_1", name: "Tools", limits: { parallel: 4 }, models: ["gpt"] } as const;
    expect(await books.keys.owner(team)).toBe(undefined);
    await books.keys.saveOwner(team);
    expect(await books.keys.owner(team)).toEqual(team);
    const changed = { kind: "team", id: "t_1", name: "Tools", limits: {} } as const;
    await books.keys.saveOwner(changed);
    expect(await books.keys.owner(team)).toEqual(changed);
    await books.keys.saveOwner({ ...changed, kind: "user" });
    expect(await books.keys.owners("team")).toEqual([changed]);
  });
}
