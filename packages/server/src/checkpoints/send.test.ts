import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { directoryStore } from "@handrail/checkpoints/directory-store";
import { scriptedSandbox } from "@handrail/core/testing/scripted-sandbox";
import { encodeObjectFrame, readObjectFrame, sentFrames } from "@handrail/protocol/sandboxd/object-frames";
import { encodeTree, parseTree, type ObjectKind, type SnapshotEntry } from "@handrail/protocol/snapshots";
import { afterAll, expect, test } from "vitest";
import { Lineage, type NamedFrame } from "./lineage.ts";
import { nameOf, unpacked } from "./object-content.ts";
import { sendSnapshot } from "./send.ts";

const directory = mkdtempSync(join(tmpdir(), "handrail-send-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const RULES = { maxFileBytes: 1_000_000, maxTotalBytes: 10_000_000 };
const DEPTH = 8;

function framed(kind: ObjectKind, data: Uint8Array): NamedFrame {
  const frame = encodeObjectFrame({ kind, packed: false, size: data.length, data });
  return { name: nameOf(kind, data), kind, size: data.length, frame };
}

/** Directories in each other with one file in the last, the root's frame last. */
function deepSnapshot(): NamedFrame[] {
  const blob = framed("blob", Buffer.from("text"));
  const frames = [blob];
  let entry: SnapshotEntry = { type: "file", name: "a", mode: 0o644, mtime: "0", size: 4, blobs: [blob.name] };
  for (let level = 0; level < DEPTH; level++) {
    const tree = framed("tree", encodeTree({ mode: 0o755, mtime: "0", entries: [entry] }));
    frames.push(tree);
    entry = { type: "directory", name: "d", tree: tree.name };
  }
  return frames;
}

function objectsIn(frame: ReturnType<ReturnType<typeof sentFrames>["take"]>[number]) {
  if (frame.kind !== "bundle") return [frame];
  const all = zstdDecompressSync(frame.data);
  return frame.objects.map(({ at, bytes }) => readObjectFrame(all.subarray(at, at + bytes)));
}

/** A sandbox with nothing in its workspace, which says what it lacks as far as it can see. */
function emptySandbox() {
  const rounds: string[][] = [];
  let staged: Buffer[] = [];
  const lackingBelow = (name: string, objects: ReadonlyMap<string, Uint8Array>): string[] => {
    const bytes = objects.get(name);
    if (bytes === undefined) return [name];
    return parseTree(bytes).entries.flatMap((entry) => {
      if (entry.type === "directory") return lackingBelow(entry.tree, objects);
      return entry.type === "file" ? entry.blobs.filter((blob) => !objects.has(blob)) : [];
    });
  };
  const sandbox = scriptedSandbox({
    "snapshot.put": ({ offset, data }) => {
      if (offset === 0) staged = [];
      staged.push(Buffer.from(data as Uint8Array));
      return { size: Buffer.concat(staged).length };
    },
    "snapshot.restore": ({ root }) => {
      const found = sentFrames().take(Buffer.concat(staged)).flatMap(objectsIn);
      const objects = new Map(
        found.map((frame) => {
          const bytes = unpacked(frame);
          return [nameOf(frame.kind, bytes), bytes];
        }),
      );
      const needed = lackingBelow(String(root), objects);
      rounds.push(needed);
      return { needed, written: needed.length === 0 ? 1 : 0, removed: 0, failed: [] };
    },
  });
  return { sandbox, rounds };
}

test("a sandbox that has none of what it was thought to have gets a deep tree in three rounds", async () => {
  const lineage = new Lineage("l1", directoryStore(directory), Buffer.alloc(32, 1));
  const frames = deepSnapshot();
  await lineage.addIndex(await lineage.putPack(frames));
  const [blob, root] = [frames[0]!.name, frames.at(-1)!.name];
  const { sandbox, rounds } = emptySandbox();
  const signal = AbortSignal.timeout(60_000);
  const done = await sendSnapshot(lineage, sandbox, { root, base: root, rules: RULES }, signal);
  expect({ done, rounds }).toEqual({ done: { written: 1, removed: 0, failed: [] }, rounds: [[root], [blob], []] });
});
