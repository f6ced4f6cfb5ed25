import { randomBytes } from "node:crypto";
import type { CheckpointStore } from "@handrail/core/ports/checkpoint-store";
import { AppError } from "@handrail/protocol/errors";
import type { Bundle } from "@handrail/protocol/sandboxd/bundles";
import type { ObjectKind, SnapshotEntry, SnapshotTree } from "@handrail/protocol/snapshots";
import type { Checked } from "./closure.ts";
import { contentOf, treeOf } from "./object-content.ts";
import { decodeIndex, encodeIndexes, INDEX_OBJECTS, type StoredObject } from "./object-index.ts";
import { Notes } from "./notes.ts";
import { ObjectTable, type StoredObjects } from "./object-table.ts";
import { References } from "./references.ts";
import { Remembered } from "./remembered.ts";
import { bundlesIn, framesIn, inOrder, type ReadObject, type Run, runsOf } from "./object-runs.ts";
import { ChunkOpener, sealPack } from "./sealed-pack.ts";
import { lineageSeal, type Seal } from "./seal.ts";
import { eachInTurn } from "./turns.ts";

/** An object's frame, ready to be stored. */
export type NamedFrame = {
  readonly name: string;
  readonly kind: ObjectKind;
  readonly size: number;
  readonly frame: Uint8Array;
};

/** Of one lineage: those of a snapshot as large as can be, and again half as many. Some 80 bytes each are in memory. */
const MAX_OBJECTS = 3_000_000;

/** A part of all that a lineage takes. */
const CROWDED = 0.25;

/** Of trees that are kept in memory. */
const MAX_REMEMBERED_TREE_BYTES = 40 * 1024 * 1024;
const MAX_REMEMBERED_CHECKS = 20_000;
/** Of frames of trees that are kept in memory: some 100,000 entries. */
const MAX_REMEMBERED_FRAME_BYTES = 8 * 1024 * 1024;

/**
 * Everything that is kept for one conversation and its forks: packs of objects, indexes that say what is in them, and
 * the references that keep it. Objects are named by their content; what is not in an index is not there.
 *
 * Its owner sees to it that writing and collecting never overlap.
 */
export class Lineage {
  readonly id: string;
  /** What keeps objects. */
  readonly references: References;
  /** What else is remembered here. */
  readonly notes: Notes;
  readonly #store: CheckpointStore;
  readonly #seal: Seal;
  readonly #most: number;
  #objects: ObjectTable | undefined;
  #indexes: string[] = [];
  readonly #trees = new Remembered<SnapshotTree>(MAX_REMEMBERED_TREE_BYTES, bytesOf);
  readonly #treeFrames = new Remembered<Uint8Array>(MAX_REMEMBERED_FRAME_BYTES, ({ length }) => length);
  readonly #checked = new Remembered<Checked>(MAX_REMEMBERED_CHECKS, () => 1);

  /** `most`: so many objects; more are refused. */
  constructor(id: string, store: CheckpointStore, key: Uint8Array, most = MAX_OBJECTS) {
    this.id = id;
    this.#store = store;
    this.#most = most;
    this.#seal = lineageSeal(key, id);
    const place = { lineageId: id, store, seal: this.#seal };
    this.references = new References(place);
    this.notes = new Notes(place);
  }

  /** What is here, by name; what comes later shows in it too. */
  async objects(): Promise<StoredObjects> {
    return this.#table();
  }

  async #table(): Promise<ObjectTable> {
    if (this.#objects !== undefined) return this.#objects;
    const objects = new ObjectTable();
    this.#indexes = [...(await this.#store.list(`${this.id}/indexes/`))];
    for (const path of this.#indexes) {
      const bytes = this.#seal.open(path, await this.#store.get(path));
      try {
        await decodeIndex(bytes, objects);
      } catch (cause) {
        throw new AppError("checkpoint_damaged", "An index of the checkpoints cannot be read.", {}, { cause });
      }
    }
    this.#objects = objects;
    return objects;
  }

  /** Indexes, save those that so many objects need. */
  get indexCount(): number {
    return this.#indexes.length - Math.floor(this.objectCount / INDEX_OBJECTS);
  }

  /** Those that are known in memory. */
  get objectCount(): number {
    return this.#objects?.size ?? 0;
  }

  /** How many more objects it takes. */
  async room(): Promise<number> {
    return this.#most - (await this.#table()).size;
  }

  /** Whether it has most of the objects that it takes. */
  async isCrowded(): Promise<boolean> {
    return (await this.room()) < this.#most * CROWDED;
  }

  /** Keeps frames in one pack. They are not there before `addIndex`. */
  async putPack(frames: readonly NamedFrame[]): Promise<Map<string, StoredObject>> {
    const pack = `${this.id}/packs/${randomBytes(16).toString("hex")}`;
    const { bytes, objects } = await sealPack(this.#seal, pack, frames);
    await this.#store.put(pack, bytes);
    return objects;
  }

  /** From here on these objects are there. @throws AppError `limit_reached` */
  async addIndex(objects: StoredObjects): Promise<void> {
    if (objects.size === 0) return;
    const table = await this.#table();
    if (objects.size > (await this.room())) throw tooMany();
    this.#indexes.push(...(await this.#putIndexes(objects)));
    await eachInTurn(objects, ([name, object]) => table.set(name, object));
  }

  /** Puts new indexes in the place of all, and removes the packs that these do not name. */
  async replaceIndexes(objects: StoredObjects): Promise<void> {
    const old = this.#indexes;
    this.#indexes = await this.#putIndexes(objects);
    const table = new ObjectTable();
    await eachInTurn(objects, ([name, object]) => table.set(name, object));
    this.#objects = table;
    this.#checked.clear();
    for (const path of old) await this.#store.remove(path);
    await this.removeLoosePacks();
  }

  /** What a crash left: packs that no index names. */
  async removeLoosePacks(): Promise<void> {
    const named = new Set<string>();
    await eachInTurn((await this.objects()).values(), ({ pack }) => named.add(pack));
    for (const path of await this.#store.list(`${this.id}/packs/`))
      if (!named.has(path)) await this.#store.remove(path);
  }

  /** Frames of objects, some at a time, in an order that reads the store least. @throws AppError `checkpoint_damaged` */
  frames(names: Iterable<string>): AsyncGenerator<Iterable<ReadObject>> {
    return this.#read(names, framesIn);
  }

  /** The same as they are sent: in whole bundles, where most of one is wanted. @throws AppError `checkpoint_damaged` */
  bundles(names: Iterable<string>): AsyncGenerator<Iterable<ReadObject | Bundle>> {
    return this.#read(names, bundlesIn);
  }

  async *#read<Found>(
    names: Iterable<string>,
    found: (run: Run, opener: ChunkOpener) => Iterable<Found>,
  ): AsyncGenerator<Iterable<Found>> {
    const wanted = await inOrder(await this.#table(), names);
    const opener = new ChunkOpener(this.#seal);
    for (const objects of runsOf(wanted)) {
      const [first] = objects;
      const last = objects.at(-1);
      if (first === undefined || last === undefined) continue;
      const range = { offset: first.offset, length: last.offset + last.length - first.offset };
      const bytes = await this.#store.get(first.pack, range);
      yield found({ objects, bytes }, opener);
    }
  }

  /** Trees by name; those that were read lately are not read again. @throws AppError `checkpoint_damaged` */
  async trees(names: Iterable<string>): Promise<(readonly [string, SnapshotTree])[]> {
    const trees: (readonly [string, SnapshotTree])[] = [];
    const unread: string[] = [];
    for (const name of names) {
      const tree = this.#trees.get(name);
      if (tree === undefined) unread.push(name);
      else trees.push([name, tree]);
    }
    for await (const some of this.frames(unread)) {
      for (const { name, frame } of some) {
        trees.push([name, await treeOf(name, frame)]);
        this.rememberFrame(name, frame);
      }
    }
    this.remember(trees);
    return trees;
  }

  /** The frames of trees; those that came or were read lately are not read again. @throws AppError `checkpoint_damaged` */
  async treeFrames(names: Iterable<string>): Promise<ReadonlyMap<string, Uint8Array>> {
    const frames = new Map<string, Uint8Array>();
    const unread: string[] = [];
    for (const name of names) {
      const frame = this.#treeFrames.get(name);
      if (frame === undefined) unread.push(name);
      else frames.set(name, frame);
    }
    for await (const some of this.frames(unread)) for (const { name, frame } of some) frames.set(name, frame);
    return frames;
  }

  /** Trees that were read strictly and are stored. Those that were of use last stay longest. */
  remember(trees: Iterable<readonly [string, SnapshotTree]>): void {
    for (const [name, tree] of trees) this.#trees.set(name, tree);
  }

  /** Of a tree that was read strictly and is stored. */
  rememberFrame(name: string, frame: Uint8Array): void {
    this.#treeFrames.set(name, new Uint8Array(frame));
  }

  /** What was found of directories whose objects are all in an index, and have not been collected since. */
  get checked(): Pick<Remembered<Checked>, "get"> {
    return this.#checked;
  }

  rememberChecked(checked: Iterable<readonly [string, Checked]>): void {
    for (const [name, found] of checked) this.#checked.set(name, found);
  }

  /** @throws AppError `checkpoint_damaged` */
  async blobs(names: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
    const blobs = new Map<string, Buffer>();
    for await (const some of this.frames(names)) {
      for (const { name, frame } of some) blobs.set(name, contentOf(name, frame));
    }
    return blobs;
  }

  async #putIndexes(objects: StoredObjects): Promise<string[]> {
    const paths: string[] = [];
    for await (const bytes of encodeIndexes(objects)) {
      const path = `${this.id}/indexes/${randomBytes(16).toString("hex")}`;
      await this.#store.put(path, this.#seal.seal(path, bytes));
      paths.push(path);
    }
    return paths;
  }
}

const ENTRY_BYTES = 200;
const BLOB_NAME_BYTES = 80;

/** About what a tree takes in memory: beside what each entry does, texts of any length. */
function bytesOf({ entries }: SnapshotTree): number {
  return entries.reduce((sum, entry) => sum + ENTRY_BYTES + textsOf(entry), 0);
}

function textsOf(entry: SnapshotEntry): number {
  if (entry.type === "file") return entry.blobs.length * BLOB_NAME_BYTES;
  return entry.type === "link" ? entry.target.length : entry.type === "twin" ? entry.of.length : 0;
}

/** What is refused where a lineage is full. */
export const tooMany = (): AppError =>
  new AppError(
    "limit_reached",
    "Checkpoints of this conversation and its forks have as many files and directories as they may. Delete forks, or go on in a new conversation.",
  );
