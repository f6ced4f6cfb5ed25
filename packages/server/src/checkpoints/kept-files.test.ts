import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { directoryStore } from "@handrail/checkpoints/directory-store";
import { AppError } from "@handrail/protocol/errors";
import { encodeObjectFrame } from "@handrail/protocol/sandboxd/object-frames";
import { encodeTree } from "@handrail/protocol/snapshots";
import { expect, onTestFinished, test } from "vitest";
import { keptFiles } from "./kept-files.ts";
import { nameOf } from "./object-content.ts";

const data = encodeTree({ mode: 0o755, mtime: "0", entries: [] });
const root = nameOf("tree", data);
const frame = encodeObjectFrame({ kind: "tree", packed: false, size: data.length, data });

/** Kept files in which these lineages each have one snapshot that a conversation `c_1` holds on to. */
async function filesWith(...lineages: string[]) {
  const directory = mkdtempSync(join(tmpdir(), "handrail-kept-files-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const rules = { maxFileBytes: 1000, maxTotalBytes: 1000 };
  const kept = keptFiles({ open: async () => directoryStore(directory), key: Buffer.alloc(32, 3), rules });
  for (const id of lineages) {
    await kept.lineages.use(id, async (lineage) => {
      await lineage.addIndex(await lineage.putPack([{ name: root, kind: "tree", size: data.length, frame }]));
      await lineage.references.add({ conversationId: "c_1", checkpointId: "k_1", root });
    });
  }
  return kept;
}

const logs = (failure: Error | undefined) => ({
  summary: async () => Promise.reject(failure ?? new Error("not asked")),
});
const GONE = new AppError("conversation_not_found", "There is none.");

test("what a conversation held on to goes with it, and kept set-ups stay, which none holds on to", async () => {
  const kept = await filesWith("one", "setup-a");
  await kept.collect(logs(GONE));
  expect(await kept.lineages.ids()).toEqual(["setup-a"]);
});

test("a store of logs that does not answer says nothing of what is there: nothing is removed", async () => {
  const kept = await filesWith("one");
  const away = new AppError("storage_full", "It does not answer.");
  await expect(kept.collect(logs(away))).rejects.toBe(away);
  expect(await kept.lineages.ids()).toEqual(["one"]);
});

test("what is kept for a conversation that is just being made stays until it is there, or is given up", async () => {
  const kept = await filesWith("one");
  const unpin = kept.pin("c_1");
  await kept.collect(logs(GONE));
  expect(await kept.lineages.ids()).toEqual(["one"]);
  unpin();
  await kept.collect(logs(GONE));
  expect(await kept.lineages.ids()).toEqual([]);
});

test("what is kept for a conversation that the store may miss stays", async () => {
  const kept = await filesWith("one");
  await kept.collect(logs(GONE), (id) => id === "c_1");
  expect(await kept.lineages.ids()).toEqual(["one"]);
});
