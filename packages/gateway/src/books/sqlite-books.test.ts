import { appendFileSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, expect, test } from "vitest";
import type { Books } from "../ports/books.ts";
import { booksContract } from "../testing/books-contract.ts";
import { codeOf, handClock } from "../testing/books-opener.ts";
import { NOON, sampleAdmission, sampleScope, sampleSettlement } from "../testing/books-samples.ts";
import { openSqliteBooks } from "./open-sqlite-books.ts";

const opened: { readonly books: Books; readonly directory: string }[] = [];

async function openIn(directory: string, now: () => number): Promise<Books> {
  const books = await openSqliteBooks({ file: join(directory, "gateway.db"), now });
  opened.push({ books, directory });
  return books;
}

const newDirectory = () => mkdtempSync(join(tmpdir(), "books-"));
const open = (now: () => number) => openIn(newDirectory(), now);
const directoryOf = (books: Books) => opened.find((each) => each.books === books)!.directory;

/** What a kill leaves is what the files hold at that instant. */
async function crash(books: Books, now: () => number): Promise<Books> {
  const directory = newDirectory();
  for (const file of ["gateway.db", "gateway.db-wal", "gateway.db-calls"])
    cpSync(join(directoryOf(books), file), join(directory, file));
  return await openIn(directory, now);
}

afterEach(async () => {
  for (const { books, directory } of opened.splice(0)) {
    await books.close().catch(() => {});
    rmSync(directory, { recursive: true, force: true });
  }
});

booksContract("sqlite", { open, crash });

test("a second process is refused", async () => {
  const books = await open(handClock(NOON));
  expect(await codeOf(openIn(directoryOf(books), handClock(NOON)))).toBe("state_locked");
});

test("while the database cannot be written, what was settled is kept, and written later", async () => {
  const books = await open(handClock(NOON));
  const scope = sampleScope("key:v_1", { parallel: 2, budget: { usd: 5, period: "total" } });
  const first = sampleAdmission([scope]);
  await books.ledger.admit(first);
  const other = new DatabaseSync(join(directoryOf(books), "gateway.db"));
  other.exec("create trigger stop before insert on ledger begin select raise(abort, 'stopped'); end");
  books.ledger.settle(sampleSettlement(first.callId));
  expect(await codeOf(books.ledger.flush())).toBe("books_unavailable");
  expect(books.trouble()).toContain("stopped");
  other.exec("drop trigger stop");
  other.close();
  await books.ledger.flush();
  expect(books.trouble()).toBe(undefined);
  expect((await books.ledger.entries({}, { limit: 9 })).length).toBe(1);
  expect((await books.ledger.states([scope])).map((state) => state.remaining)).toEqual([2, 4.75]);
});

test("what was settled and not yet in the database is settled as it was after a crash", async () => {
  const now = handClock(NOON);
  const books = await open(now);
  const [ended, open_] = [sampleAdmission([sampleScope("key:v_1")]), sampleAdmission([sampleScope("key:v_1")])];
  await books.ledger.admit(ended);
  books.ledger.settle(sampleSettlement(ended.callId));
  await books.ledger.admit(open_);
  const again = await crash(books, now);
  expect(await again.ledger.reconcile()).toBe(1);
  const entries = await again.ledger.entries({}, { limit: 9 });
  expect(new Map(entries.map(({ callId, outcome, costUsd }) => [callId, [outcome, costUsd]]))).toEqual(
    new Map([
      [ended.callId, ["ok", 0.25]],
      [open_.callId, ["lost", 1]],
    ]),
  );
  const third = await crash(again, now);
  expect((await third.ledger.spend("key", {})).map(({ calls, costUsd }) => [calls, costUsd])).toEqual([[2, 1.25]]);
});

test("a call file whose last line is cut off is read up to it", async () => {
  const now = handClock(NOON);
  const books = await open(now);
  await books.ledger.admit(sampleAdmission([sampleScope("key:v_1")]));
  appendFileSync(join(directoryOf(books), "gateway.db-calls"), '{"opened":{"callId":"half');
  expect(await (await crash(books, now)).ledger.reconcile()).toBe(1);
});
