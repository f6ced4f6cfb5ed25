import type { Restored } from "@handrail/core/ports/snapshots";
import type { Sandbox } from "@handrail/core/ports/sandbox";
import { AppError } from "@handrail/protocol/errors";
import type { SnapshotEntry, SnapshotRules, SnapshotTree } from "@handrail/protocol/snapshots";
import { reachableTrees } from "./closure.ts";
import type { Lineage } from "./lineage.ts";

/** Little enough that the sandbox is at work on one part while the next is decrypted. */
const PART_BYTES = 1024 * 1024;
const MAX_ROUNDS = 3;

type Wanted = { readonly root: string; readonly base: string | null; readonly rules: SnapshotRules };

/**
 * Makes a sandbox's workspace what a snapshot says. Sent is what the snapshot at `base`, which the workspace is about
 * at, does not have at the same path; what the sandbox then still misses comes in another round.
 * @throws AppError `checkpoint_damaged`, `checkpoints_unavailable`, `disk_full`
 */
export async function sendSnapshot(
  lineage: Lineage,
  sandbox: Sandbox,
  { root, base, rules }: Wanted,
  signal: AbortSignal,
): Promise<Restored> {
  const trees = await treesOf(lineage, root);
  const there = base === null ? new Map<string, SnapshotTree>() : await treesOf(lineage, base);
  const names = missing(root, base ?? undefined, { trees, there });
  for (let round = 0; round < MAX_ROUNDS; round++) {
    await put(lineage, sandbox, names, signal);
    const { needed, ...done } = await sandbox.call("snapshot.restore", { root, ...rules }, { signal });
    if (needed.length === 0) return done;
    for (const name of withTreesBelow(needed, trees)) names.add(name);
  }
  const message = "The workspace's files change all the time, so they cannot be restored. Stop what changes them.";
  throw new AppError("file_changed", message);
}

/** Who lacks a directory's tree cannot tell what is lacking below it. Files that are lacking then come a round later. */
function withTreesBelow(needed: readonly string[], trees: ReadonlyMap<string, SnapshotTree>): Set<string> {
  const names = new Set(needed);
  for (const name of names) {
    for (const entry of entriesOf(trees, name)) if (entry.type === "directory") names.add(entry.tree);
  }
  return names;
}

/** All trees of a snapshot. @throws AppError `checkpoint_damaged` */
export async function treesOf(lineage: Lineage, root: string): Promise<ReadonlyMap<string, SnapshotTree>> {
  return reachableTrees(root, async (names) => new Map(await lineage.trees(names)));
}

type Both = { readonly trees: ReadonlyMap<string, SnapshotTree>; readonly there: ReadonlyMap<string, SnapshotTree> };

/** Names of the objects that are not there already at the same path. */
function missing(root: string, base: string | undefined, { trees, there }: Both): Set<string> {
  const names = new Set<string>();
  const compare = (wanted: string, present: string | undefined): void => {
    if (wanted === present) return;
    if (!there.has(wanted)) names.add(wanted);
    const old = new Map(entriesOf(there, present).map((entry) => [entry.name, entry]));
    for (const entry of entriesOf(trees, wanted)) {
      const before = old.get(entry.name);
      if (entry.type === "directory") compare(entry.tree, before?.type === "directory" ? before.tree : undefined);
      for (const blob of newBlobs(before, entry)) names.add(blob);
    }
  };
  compare(root, base);
  return names;
}

const entriesOf = (trees: ReadonlyMap<string, SnapshotTree>, name: string | undefined) =>
  name === undefined ? [] : (trees.get(name)?.entries ?? []);

/** The pieces of a file, unless the one that is there has the same. */
function newBlobs(before: SnapshotEntry | undefined, entry: SnapshotEntry): readonly string[] {
  if (entry.type !== "file") return [];
  return before?.type === "file" && String(before.blobs) === String(entry.blobs) ? [] : entry.blobs;
}

/** While one part is on its way, the next is read and decrypted. */
async function put(lineage: Lineage, sandbox: Sandbox, names: Iterable<string>, signal: AbortSignal): Promise<void> {
  let waiting: Buffer[] = [];
  let bytes = 0;
  let offset = 0;
  let last: Promise<void> = Promise.resolve();
  const send = async (data: Buffer) => {
    await last;
    last = putPart(sandbox, offset, data, signal);
    last.catch(() => undefined);
    offset += data.length;
  };
  const flush = async () => {
    const all = Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
    for (let at = 0; at < all.length; at += PART_BYTES) await send(all.subarray(at, at + PART_BYTES));
  };
  for await (const { frame } of lineage.frames(names)) {
    waiting.push(frame);
    bytes += frame.length;
    if (bytes >= PART_BYTES) await flush();
  }
  await flush();
  if (offset === 0) await send(Buffer.alloc(0));
  await last;
}

async function putPart(sandbox: Sandbox, offset: number, data: Buffer, signal: AbortSignal): Promise<void> {
  const { size } = await sandbox.call("snapshot.put", { offset, data: data.toString("base64") }, { signal });
  if (size !== offset + data.length) throw new AppError("checkpoint_invalid", "The sandbox did not take the files.");
}
