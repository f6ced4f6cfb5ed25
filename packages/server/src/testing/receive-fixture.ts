import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { directoryStore } from "@handrail/checkpoints/directory-store";
import { scriptedSandbox } from "@handrail/core/testing/scripted-sandbox";
import { encodeObjectFrame, type ObjectFrame } from "@handrail/protocol/sandboxd/object-frames";
import { encodeTree, type SnapshotEntry } from "@handrail/protocol/snapshots";
import { afterAll } from "vitest";
import { Lineage } from "../checkpoints/lineage.ts";
import { nameOf } from "../checkpoints/object-content.ts";
import { receiveSnapshot } from "../checkpoints/receive.ts";

const WITHIN_MS = 60_000;
const RULES = { maxFileBytes: 1_000_000, maxTotalBytes: 10_000_000 };

export const plain = (kind: ObjectFrame["kind"], data: Uint8Array) =>
  encodeObjectFrame({ kind, packed: false, size: data.length, data });
export const treeOf = (entries: readonly SnapshotEntry[]) =>
  encodeTree({ mode: 0o755, mtime: "0", entries: [...entries] });

/** What the one piece of most snapshots here holds. */
export const BYTES = Buffer.from("text");
export const BLOB = nameOf("blob", BYTES);
export const file = (name: string, more: Partial<Extract<SnapshotEntry, { type: "file" }>> = {}): SnapshotEntry => ({
  type: "file",
  name,
  mode: 0o644,
  mtime: "0",
  size: 4,
  blobs: [BLOB],
  ...more,
});
export const folder = (name: string, tree: string): SnapshotEntry => ({ type: "directory", name, tree });

/** What a sandbox says: frames, and the root that it names; `packBytes` when that is not how many they are. */
export type Said = { readonly frames: readonly Uint8Array[]; readonly root: string; readonly packBytes?: number };

export const withRoot = (bytes: Uint8Array, frames: readonly Uint8Array[] = []): Said => ({
  frames: [plain("blob", BYTES), ...frames, plain("tree", bytes)],
  root: nameOf("tree", bytes),
});
export const withEntries = (...entries: readonly SnapshotEntry[]) => withRoot(treeOf(entries));

/** A store of its own for the tests of a file, and snapshots that sandboxes send into its lineages. */
export function receiveFixture() {
  const directory = mkdtempSync(join(tmpdir(), "handrail-receive-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  let made = 0;
  const store = directoryStore(directory);
  const newLineage = (over = store) => new Lineage(`l${made++}`, over, Buffer.alloc(32, 1));

  async function receive(
    { frames, root, packBytes }: Said,
    lineage = newLineage(),
    more: { maxObjects?: number; maxBytes?: number } = {},
  ) {
    const pack = Buffer.concat(frames);
    const sandbox = scriptedSandbox({
      "snapshot.take": () => ({
        root,
        files: 7,
        bytes: 7,
        newObjects: 7,
        packBytes: packBytes ?? pack.length,
        leftOut: [],
        leftOutCount: 0,
        durationMs: 1,
      }),
      "snapshot.read": (args) => {
        const offset = Number(args["offset"]);
        const data = pack.subarray(offset, offset + Number(args["length"])).toString("base64");
        return { data, size: pack.length };
      },
    });
    const outcome = await receiveSnapshot(
      lineage,
      sandbox,
      { rules: RULES, base: null, ...more },
      AbortSignal.timeout(WITHIN_MS),
    ).then(
      ({ files, bytes }) => ({ files, bytes }),
      (thrown: { code: string; message: string }) => `${thrown.code}: ${thrown.message}`,
    );
    return { outcome, indexes: await store.list(`${lineage.id}/indexes/`) };
  }

  return { store, newLineage, receive };
}
