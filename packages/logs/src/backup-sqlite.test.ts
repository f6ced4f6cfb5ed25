import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sampleAppend, sampleId } from "@handrail/core/testing/log-samples";
import { codeOf } from "@handrail/core/testing/log-store-contract";
import { afterEach, beforeEach, expect, test } from "vitest";
import { backupSqlite } from "./backup-sqlite.ts";
import { sqliteLogStore } from "./sqlite-log-store.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "backup-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

test("a backup made during appends holds what was acknowledged before, without a gap, and blobs", async () => {
  const [file, target] = [join(directory, "a.db"), join(directory, "b.db")];
  const store = await sqliteLogStore({ file });
  const id = sampleId();
  const ref = await store.putBlob(new Uint8Array(500_000).fill(7));
  const progress = { acknowledged: 0, copied: false };
  const writing = (async () => {
    for (let seq = 0; !progress.copied; seq++) {
      await store.append(sampleAppend(id, seq, ["x".repeat(500)]));
      progress.acknowledged = seq + 1;
    }
  })();
  await expect.poll(() => progress.acknowledged, { interval: 1 }).toBeGreaterThan(50);
  const { acknowledged } = progress;
  await backupSqlite(file, target);
  progress.copied = true;
  await writing;
  await store.close();

  const restored = await sqliteLogStore({ file: target });
  const events = await restored.read(id, -1, 1_000_000);
  expect(events.length).toBeGreaterThanOrEqual(acknowledged);
  expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index));
  expect((await restored.summary(id)).head).toBe(events.length - 1);
  expect(await restored.getBlob(ref)).toEqual(new Uint8Array(500_000).fill(7));
  await restored.close();
});

test("a backup never writes over a file, and leaves nothing behind when it fails", async () => {
  const [file, target] = [join(directory, "a.db"), join(directory, "b.db")];
  const store = await sqliteLogStore({ file });
  await backupSqlite(file, target);
  expect(await codeOf(backupSqlite(file, target))).toBe("file_exists");
  expect(await codeOf(backupSqlite(file, join(directory, "no", "b.db")))).toBe("storage_failed");
  expect(await codeOf(backupSqlite(join(directory, "none.db"), join(directory, "c.db")))).toBe("storage_failed");
  await store.close();
  expect(readdirSync(directory).sort()).toEqual(["a.db", "b.db"]);
});
