import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { LogStore } from "@handrail/core/ports/log-store";
import { codeOf, logStoreContract } from "@handrail/core/testing/log-store-contract";
import { sampleAppend, sampleId, sampleStored } from "@handrail/core/testing/log-samples";
import { afterEach, expect, test } from "vitest";
import { sqliteLogStore } from "./sqlite-log-store.ts";

const opened: { readonly store: LogStore; readonly directory: string; readonly file: string }[] = [];

async function open(): Promise<LogStore> {
  const directory = mkdtempSync(join(tmpdir(), "logs-"));
  const file = join(directory, "state", "handrail.db");
  const store = await sqliteLogStore({ file });
  opened.push({ store, directory, file });
  return store;
}

async function reopen(store: LogStore): Promise<LogStore> {
  const { directory, file } = opened.find((each) => each.store === store)!;
  await store.close();
  const again = await sqliteLogStore({ file });
  opened.push({ store: again, directory, file });
  return again;
}

afterEach(async () => {
  for (const { store, directory } of opened.splice(0)) {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  }
});

logStoreContract("sqlite", { open, reopen });

const fileOf = (store: LogStore) => opened.find((each) => each.store === store)!.file;

test("a database that a newer version wrote is refused and left as it was", async () => {
  const store = await open();
  const file = fileOf(store);
  await store.close();
  const database = new DatabaseSync(file);
  database.exec("insert into kysely_migration values ('9999-future', '2030-01-01')");
  expect(await codeOf(sqliteLogStore({ file }))).toBe("storage_newer");
  expect(database.prepare("select count(*) as n from kysely_migration").get()?.["n"]).toBe(2);
  database.close();
});

test("a file that is no database is refused", async () => {
  const store = await open();
  const database = join(fileOf(store), "..", "other.db");
  writeFileSync(database, "this is a text and not a database, whatever its name says".repeat(100));
  expect(await codeOf(sqliteLogStore({ file: database }))).toBe("storage_failed");
});

test("an event of a type that this version does not know reads as a notice, and the log goes on", async () => {
  const store = await open();
  const id = sampleId();
  await store.append(sampleAppend(id, 0, ["a", "b", "c"]));
  const database = new DatabaseSync(fileOf(store));
  database.exec(`update events set event = '{"type":"future.thing","x":1}' where seq = 1`);
  database.close();
  const read = await store.read(id, -1, 10);
  expect(read.map(({ seq, event }) => [seq, event.type])).toEqual([
    [0, "conversation.renamed"],
    [1, "notice.added"],
    [2, "conversation.renamed"],
  ]);
  expect(read[1]?.event).toMatchObject({ code: "event_unknown", audience: "user" });
});

test("a damaged row is told as such and does not hide the others", async () => {
  const store = await open();
  const id = sampleId();
  await store.append(sampleAppend(id, 0, ["a", "b"]));
  const database = new DatabaseSync(fileOf(store));
  database.exec(`update events set event = '{"type":' where seq = 1`);
  database.close();
  expect(await codeOf(store.read(id, -1, 10))).toBe("storage_failed");
  expect(await store.read(id, -1, 1)).toEqual(sampleStored(["a"]));
});

test("two processes' stores on one file never both win a number", async () => {
  const first = await open();
  const second = await sqliteLogStore({ file: fileOf(first) });
  const id = sampleId();
  await first.append(sampleAppend(id, 0, ["a"]));
  const results = await Promise.allSettled([
    first.append(sampleAppend(id, 1, ["x"])),
    second.append(sampleAppend(id, 1, ["y"])),
  ]);
  expect(results.map((result) => result.status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(await second.read(id, -1, 10)).toHaveLength(2);
  await second.close();
});

test("a locked database fails with a code and serves again once it is free", async () => {
  const file = fileOf(await open());
  const store = await sqliteLogStore({ file, busyTimeoutMs: 20 });
  const id = sampleId();
  const other = new DatabaseSync(file);
  other.exec("begin immediate");
  expect(await codeOf(store.append(sampleAppend(id, 0, ["a"])))).toBe("storage_failed");
  expect(await store.read(id, -1, 10)).toEqual([]);
  other.exec("rollback");
  other.close();
  await store.append(sampleAppend(id, 0, ["a"]));
  expect(await store.read(id, -1, 10)).toEqual(sampleStored(["a"]));
  await store.close();
});

test("closing waits for appends under way", async () => {
  const store = await open();
  const appends = Array.from({ length: 20 }, () => store.append(sampleAppend(sampleId(), 0, ["a"])));
  await store.close();
  expect(await Promise.all(appends)).toHaveLength(20);
});
