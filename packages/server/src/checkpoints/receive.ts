import type { Sandbox } from "@handrail/core/ports/sandbox";
import { AppError } from "@handrail/protocol/errors";
import { type Bundle, MAX_BUNDLED_BYTES } from "@handrail/protocol/sandboxd/bundles";
import {
  encodeObjectFrame,
  objectFrames,
  type ObjectFrame,
  takenFrames,
} from "@handrail/protocol/sandboxd/object-frames";
import type { OperationResult } from "@handrail/protocol/sandboxd/operations";
import {
  MAX_BLOB_BYTES,
  MAX_SNAPSHOT_ENTRIES,
  parseTree,
  type SnapshotRules,
  type SnapshotTree,
} from "@handrail/protocol/snapshots";
import { checkSnapshot, reachableTrees, type Counted } from "./closure.ts";
import { type Lineage, type NamedFrame } from "./lineage.ts";
import { nameOf, unpacked } from "./object-content.ts";
import { storedBytes, type StoredObject } from "./object-index.ts";

/** A snapshot whose objects are stored. `newBytes` is what it took to store them. */
export type Received = OperationResult<"snapshot.take"> & Counted & { readonly newBytes: number };

const PART_BYTES = 4 * 1024 * 1024;
const PACK_BYTES = 32 * 1024 * 1024;
const PARTS_AHEAD = 2;
/** A piece and a directory for each entry. In bundles very many small ones take hardly any bytes. */
const MAX_OBJECTS = 2 * MAX_SNAPSHOT_ENTRIES;

/** What a snapshot is taken with. `base`: what the workspace was at last. */
export type Wanted = {
  readonly rules: SnapshotRules;
  readonly base: string | null;
  /** More are refused. */
  readonly maxObjects?: number;
};

/**
 * Takes a snapshot in a sandbox and stores what is new in it. Nothing that the sandbox says is believed: each object
 * is unpacked within its size, named anew and read strictly, and the whole is checked before any of it counts.
 * @throws AppError `checkpoint_invalid`, `checkpoints_unavailable`, `storage_full`, `limit_reached`
 */
export async function receiveSnapshot(
  lineage: Lineage,
  sandbox: Sandbox,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Received> {
  return storeTaken(lineage, sandbox, { taken: await take(lineage, sandbox, wanted, signal), ...wanted }, signal);
}

/** The same, unless `wanted` refuses the root that the sandbox says: then nothing more is asked of it. */
export async function receiveWanted(
  lineage: Lineage,
  sandbox: Sandbox,
  { wanted, ...how }: Wanted & { readonly wanted: (root: string) => Promise<boolean> },
  signal: AbortSignal,
): Promise<Received | undefined> {
  const taken = await take(lineage, sandbox, how, signal);
  return (await wanted(taken.root)) ? storeTaken(lineage, sandbox, { taken, ...how }, signal) : undefined;
}

type Taken = OperationResult<"snapshot.take">;

async function take(lineage: Lineage, sandbox: Sandbox, { rules, base }: Wanted, signal: AbortSignal): Promise<Taken> {
  const trusted = base !== null && (await lineage.objects()).has(base) ? base : null;
  return sandbox.call("snapshot.take", { ...rules, base: trusted }, { signal });
}

async function storeTaken(
  lineage: Lineage,
  sandbox: Sandbox,
  { taken, rules, maxObjects = MAX_OBJECTS }: Omit<Wanted, "base"> & { readonly taken: Taken },
  signal: AbortSignal,
): Promise<Received> {
  const known = await lineage.objects();
  const intake = new Intake(lineage, known);
  // Frames have headers, and trees come on top of the files.
  const most = rules.maxTotalBytes * 1.1 + 512 * 1024 * 1024;
  for await (const part of partsOf(sandbox, taken, signal)) await intake.take(part, most, maxObjects);
  const stored = await intake.end();
  const objects = (name: string) => stored.get(name) ?? known.get(name);
  const trees = await reachableTrees(taken.root, (names) => intake.trees(names));
  const { checked, ...counted } = checkSnapshot(taken.root, trees, objects, lineage.checked);
  await lineage.addIndex(stored);
  lineage.remember(trees);
  intake.rememberFrames();
  lineage.rememberChecked(checked);
  return { ...taken, ...counted, newBytes: storedBytes(stored.values()) };
}

/** The frames, in parts as they come; the next ones are on their way meanwhile. */
async function* partsOf(
  sandbox: Sandbox,
  { root, packBytes }: OperationResult<"snapshot.take">,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const offsets = Array.from({ length: Math.ceil(packBytes / PART_BYTES) }, (_, index) => index * PART_BYTES);
  const ask = async (offset: number) => {
    const { data } = await sandbox.call("snapshot.read", { root, offset, length: PART_BYTES }, { signal });
    const bytes = Buffer.from(data, "base64");
    if (bytes.length === Math.min(PART_BYTES, packBytes - offset)) return bytes;
    throw new AppError("checkpoint_invalid", "The sandbox gave less of the snapshot than it said.");
  };
  const waiting: Promise<Buffer>[] = [];
  for (const offset of offsets) {
    const part = ask(offset);
    part.catch(() => undefined);
    waiting.push(part);
    if (waiting.length > PARTS_AHEAD) yield await (waiting.shift() ?? part);
  }
  for (const part of waiting) yield await part;
}

/** @throws AppError `checkpoint_invalid` unless it is whole, and says no names */
function objectsIn({ size, data, objects }: Bundle): readonly ObjectFrame[] {
  if (objects.length > 0) throw new AppError("checkpoint_invalid", "A bundle of the sandbox says names.");
  const frames = objectFrames();
  const found = frames.take(unpacked({ packed: true, size, data }));
  frames.end();
  return found;
}

/** Objects as they come in: checked, gathered to packs, and stored. */
class Intake {
  readonly #lineage: Lineage;
  readonly #known: ReadonlyMap<string, StoredObject>;
  readonly #frames = takenFrames();
  readonly #stored = new Map<string, StoredObject>();
  readonly #seen = new Set<string>();
  readonly #trees = new Map<string, SnapshotTree>();
  readonly #treeFrames = new Map<string, Uint8Array>();
  #pack: NamedFrame[] = [];
  #packBytes = 0;
  #bytes = 0;
  #count = 0;

  constructor(lineage: Lineage, known: ReadonlyMap<string, StoredObject>) {
    this.#lineage = lineage;
    this.#known = known;
  }

  async take(part: Uint8Array, maxBytes: number, maxObjects: number): Promise<void> {
    for (const frame of this.#frames.take(part)) {
      this.#bytes += frame.size;
      if (this.#bytes > maxBytes) throw new AppError("checkpoint_invalid", "The snapshot is larger than it may be.");
      const objects = frame.kind === "bundle" ? objectsIn(frame) : [frame];
      this.#count += objects.length;
      if (this.#count > maxObjects) throw new AppError("checkpoint_invalid", "The snapshot has too many pieces.");
      for (const object of objects) await this.#add(object);
    }
  }

  async end(): Promise<ReadonlyMap<string, StoredObject>> {
    this.#frames.end();
    await this.#flush();
    return this.#stored;
  }

  /** New trees as they came, others as they are stored. */
  async trees(names: readonly string[]): Promise<ReadonlyMap<string, SnapshotTree>> {
    const found = new Map<string, SnapshotTree>();
    const old: string[] = [];
    for (const name of names) {
      const tree = this.#trees.get(name);
      if (tree !== undefined) found.set(name, tree);
      else if (this.#known.get(name)?.kind === "tree") old.push(name);
    }
    for (const [name, tree] of await this.#lineage.trees(old)) found.set(name, tree);
    return found;
  }

  /** To be called when all of them are stored. */
  rememberFrames(): void {
    for (const [name, frame] of this.#treeFrames) this.#lineage.rememberFrame(name, frame);
  }

  async #add(object: ObjectFrame): Promise<void> {
    const { kind, size } = object;
    if (kind === "blob" && size > MAX_BLOB_BYTES) throw new AppError("checkpoint_invalid", "A piece is too large.");
    const bytes = unpacked(object);
    const name = nameOf(kind, bytes);
    // Small pieces of files are compressed with others, where they are stored; directories go into sandboxes by themselves.
    const asItCame = kind === "tree" || size > MAX_BUNDLED_BYTES;
    const frame = encodeObjectFrame(asItCame ? object : { kind, packed: false, size, data: bytes });
    if (kind === "tree") {
      this.#trees.set(name, parseTree(bytes));
      this.#treeFrames.set(name, frame);
    }
    if (this.#known.has(name) || this.#seen.has(name)) return;
    this.#seen.add(name);
    this.#pack.push({ name, kind, size, frame });
    this.#packBytes += frame.length;
    if (this.#packBytes >= PACK_BYTES) await this.#flush();
  }

  async #flush(): Promise<void> {
    if (this.#pack.length === 0) return;
    for (const [name, object] of await this.#lineage.putPack(this.#pack)) this.#stored.set(name, object);
    this.#pack = [];
    this.#packBytes = 0;
  }
}
