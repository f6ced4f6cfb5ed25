import type { Restored } from "@handrail/core/ports/snapshots";
import type { Sandbox } from "@handrail/core/ports/sandbox";
import { AppError } from "@handrail/protocol/errors";
import { type Bundle, bundleHeadBytes, writeBundle } from "@handrail/protocol/sandboxd/bundles";
import { headBytes, writeNamedFrame } from "@handrail/protocol/sandboxd/object-frames";
import { type SnapshotEntry, type SnapshotRules, type SnapshotTree } from "@handrail/protocol/snapshots";
import { reachableTrees } from "./closure.ts";
import { pairsOf } from "./compare.ts";
import type { Lineage } from "./lineage.ts";
import type { ReadObject } from "./object-runs.ts";
import { turns } from "./turns.ts";

/** Little enough that the sandbox is at work on one part while the next is decrypted. */
const PART_BYTES = 1024 * 1024;
const PART_OBJECTS = 500;
/** So that the sandbox has the next part when it is done with one. */
const MAX_UNDERWAY = 4;
const MAX_ROUNDS = 3;
/** So little that the directories before are on their way meanwhile. */
const FINDING_TURN_MS = 2;

type Fill = SnapshotRules & { readonly root: string };

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
  const wanted = { root, ...rules };
  const find = () => missing(root, base ?? undefined, { trees, there });
  // Where nothing is there all directories are missing; which files are is found out while the sandbox looks at them.
  let names = base === null ? undefined : await find();
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const sending = new Sending(sandbox, signal);
    const directories = names === undefined ? trees.keys() : Array.from(names).filter((name) => trees.has(name));
    await sending.directories(await lineage.treeFrames(directories), base === null ? wanted : undefined);
    names ??= await find();
    await sending.pieces(lineage.bundles(Array.from(names).filter((name) => !trees.has(name))));
    const { needed, ...done } = await sandbox.call("snapshot.restore", wanted, { signal });
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

/** Names of the objects that are not there already at the same path. Others have turns meanwhile. */
async function missing(root: string, base: string | undefined, { trees, there }: Both): Promise<Set<string>> {
  const names = new Set<string>();
  const rest = turns(FINDING_TURN_MS);
  const compare = async (wanted: string, present: string | undefined): Promise<void> => {
    if (wanted === present) return;
    if (!there.has(wanted)) names.add(wanted);
    for (const { old, now } of pairsOf(entriesOf(there, present), entriesOf(trees, wanted))) {
      const resting = rest();
      if (resting !== undefined) await resting;
      if (now?.type === "directory") await compare(now.tree, old?.type === "directory" ? old.tree : undefined);
      for (const blob of newBlobs(old, now)) names.add(blob);
    }
  };
  await compare(root, base);
  return names;
}

const entriesOf = (trees: ReadonlyMap<string, SnapshotTree>, name: string | undefined) =>
  name === undefined ? [] : (trees.get(name)?.entries ?? []);

/** The pieces of a file, unless the one that is there has the same. */
function newBlobs(before: SnapshotEntry | undefined, entry: SnapshotEntry | undefined): readonly string[] {
  if (entry?.type !== "file") return [];
  return before?.type === "file" && String(before.blobs) === String(entry.blobs) ? [] : entry.blobs;
}

/** Objects on their way to a sandbox, in parts. */
class Sending {
  readonly #sandbox: Sandbox;
  readonly #signal: AbortSignal;
  #offset = 0;
  readonly #underway: Promise<void>[] = [];
  /** The next part, as far as it is filled; it grows with a large object, which then goes in several. */
  #part = Buffer.allocUnsafe(2 * PART_BYTES);
  #partBytes = 0;
  #partObjects = 0;

  constructor(sandbox: Sandbox, signal: AbortSignal) {
    this.#sandbox = sandbox;
    this.#signal = signal;
  }

  /** They come first, so that the sandbox knows where pieces belong. `fill`: the workspace may be filled meanwhile. */
  async directories(frames: ReadonlyMap<string, Uint8Array>, fill: Fill | undefined): Promise<void> {
    for (const [name, frame] of frames) await this.#add(name, frame);
    await this.#flush(fill);
  }

  /** While parts are on their way, the next is read and decrypted. */
  async pieces(pieces: AsyncIterable<Iterable<ReadObject | Bundle>>): Promise<void> {
    for await (const some of pieces) {
      for (const piece of some) {
        const flushing = "frame" in piece ? this.#add(piece.name, piece.frame) : this.#addBundle(piece);
        if (flushing !== undefined) await flushing;
      }
    }
    if (this.#partBytes > 0) await this.#flush();
    await Promise.all(this.#underway);
  }

  /** Undefined when there is nothing to wait for. */
  #add(name: string, frame: Uint8Array): Promise<void> | undefined {
    this.#makeRoom(headBytes(true) + frame.length);
    this.#partBytes = writeNamedFrame(this.#part, this.#partBytes, frame, name);
    return this.#added(1);
  }

  #addBundle(bundle: Bundle): Promise<void> | undefined {
    this.#makeRoom(bundleHeadBytes(bundle) + bundle.data.length);
    this.#partBytes = writeBundle(this.#part, this.#partBytes, bundle);
    return this.#added(bundle.objects.length);
  }

  #makeRoom(bytes: number): void {
    if (this.#partBytes + bytes <= this.#part.length) return;
    const larger = Buffer.allocUnsafe(this.#partBytes + bytes);
    this.#part.copy(larger, 0, 0, this.#partBytes);
    this.#part = larger;
  }

  #added(objects: number): Promise<void> | undefined {
    this.#partObjects += objects;
    return this.#partBytes >= PART_BYTES || this.#partObjects >= PART_OBJECTS ? this.#flush() : undefined;
  }

  async #flush(fill?: Fill): Promise<void> {
    const all = this.#part.subarray(0, this.#partBytes);
    [this.#partBytes, this.#partObjects] = [0, 0];
    for (let at = 0; at === 0 || at < all.length; at += PART_BYTES) {
      const isLast = at + PART_BYTES >= all.length;
      await this.#put(all.subarray(at, at + PART_BYTES), isLast ? fill : undefined);
    }
  }

  /** Ends when there is room for another part on the way. */
  async #put(part: Buffer, fill?: Fill): Promise<void> {
    if (this.#underway.length >= MAX_UNDERWAY) await this.#underway.shift();
    const args = { offset: this.#offset, data: new Uint8Array(part), ...(fill === undefined ? {} : { fill }) };
    this.#offset += part.length;
    const end = this.#offset;
    const put = this.#sandbox.call("snapshot.put", args, { signal: this.#signal }).then(({ size }) => {
      if (size !== end) throw new AppError("checkpoint_invalid", "The sandbox did not take the files.");
    });
    put.catch(() => undefined);
    this.#underway.push(put);
  }
}
