import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { directoryStore } from "@handrail/checkpoints/directory-store";
import { encodeObjectFrame } from "@handrail/protocol/sandboxd/object-frames";
import { afterAll, expect, test } from "vitest";
import type { Lineage } from "./lineage.ts";
import { lineagesOf } from "./lineages.ts";
import { nameOf } from "./object-content.ts";

const directory = mkdtempSync(join(tmpdir(), "handrail-lineages-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** Puts so many objects into a lineage. */
async function fill(lineage: Lineage, count: number): Promise<void> {
  const frames = Array.from({ length: count }, (_, at) => {
    const data = Buffer.from(`${lineage.id} ${at}`);
    const frame = encodeObjectFrame({ kind: "blob", packed: false, size: data.length, data });
    return { name: nameOf("blob", data), kind: "blob" as const, size: data.length, frame };
  });
  await lineage.addIndex(await lineage.putPack(frames));
}

test("of lineages that were used lately so many objects are known, and of others what the store has", async () => {
  const store = directoryStore(directory);
  const read: string[] = [];
  const get: typeof store.get = (path, range) => {
    if (path.includes("/indexes/")) read.push(path.split("/")[0] ?? "");
    return store.get(path, range);
  };
  const lineages = lineagesOf(async () => ({ ...store, get }), Buffer.alloc(32, 1), { known: 10 });
  const sizeOf = (id: string) => lineages.use(id, async (lineage) => (await lineage.objects()).size);
  for (const [id, count] of [
    ["a", 4],
    ["b", 6],
    ["c", 12],
  ] as const) {
    await lineages.use(id, (lineage) => fill(lineage, count));
  }
  expect([await sizeOf("c"), read]).toEqual([12, []]);
  expect([await sizeOf("a"), await sizeOf("b"), await sizeOf("a"), await sizeOf("b"), read]).toEqual([
    4,
    6,
    4,
    6,
    ["a", "b"],
  ]);
});
