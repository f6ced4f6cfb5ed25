import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogStore } from "@handrail/core/ports/log-store";
import { sampleAppend, sampleStored } from "@handrail/core/testing/log-samples";
import { codeOf } from "@handrail/core/testing/log-store-contract";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sqliteLogStore } from "./sqlite-log-store.ts";

let mount: string;
beforeEach(() => {
  mount = mkdtempSync(join(tmpdir(), "full-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", mount]);
});
afterEach(() => {
  execFileSync("umount", ["-l", mount]);
  rmSync(mount, { recursive: true });
});

const big = (seq: number) => `${seq} ${"x".repeat(20_000)}`;

/** Appends until the store says no; gives how many events it took and the code that it stopped with. */
async function appendUntilFull(store: LogStore, id: string, from: number) {
  for (let seq = from; ; seq += 2) {
    const code = await codeOf(store.append(sampleAppend(id, seq, [big(seq), big(seq + 1)])));
    if (code !== undefined) return { length: seq, code };
  }
}

const expected = (length: number) => sampleStored(Array.from({ length }, (_, seq) => big(seq)));

const asRoot = process.getuid?.() === 0;
if (!asRoot) process.stdout.write("A full disk is not tested: it is made with a mount, which takes root.\n");

test.skipIf(!asRoot)(
  "a full disk refuses appends whole, keeps reading, and takes them again once there is space",
  async () => {
    const ballast = join(mount, "ballast");
    writeFileSync(ballast, new Uint8Array(1_500_000));
    const store = await sqliteLogStore({ file: join(mount, "a.db") });
    const full = await appendUntilFull(store, "c_1", 0);
    expect(full.code).toBe("storage_full");
    expect(full.length).toBeGreaterThan(10);
    expect(await codeOf(store.putBlob(new Uint8Array(2_000_000)))).toBe("storage_full");
    const together = await Promise.all(
      ["c_2", "c_3", "c_4"].map((id) => codeOf(store.append(sampleAppend(id, 0, [big(0), big(1), big(2)])))),
    );
    expect(together).toEqual(["storage_full", "storage_full", "storage_full"]);
    expect(await store.read("c_1", -1, 1000)).toEqual(expected(full.length));
    expect((await store.list({ limit: 10 })).map((summary) => [summary.id, summary.head])).toEqual([
      ["c_1", full.length - 1],
    ]);

    rmSync(ballast);
    const later = await appendUntilFull(store, "c_1", full.length);
    expect(later.length).toBeGreaterThan(full.length);
    expect(await store.read("c_1", -1, 1000)).toEqual(expected(later.length));
    await store.close();

    const again = await sqliteLogStore({ file: join(mount, "a.db") });
    expect(await again.read("c_1", -1, 1000)).toEqual(expected(later.length));
    await again.close();
  },
);
