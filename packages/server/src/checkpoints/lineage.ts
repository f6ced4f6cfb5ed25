import { randomBytes } from "node:crypto";
import type { CheckpointStore } from "@handrail/core/ports/checkpoint-store";
import { AppError } from "@handrail/protocol/errors";
import type { Bundle } from "@handrail/protocol/sandboxd/bundles";
import type { ObjectKind, SnapshotEntry, SnapshotTree } from "@handrail/protocol/snapshots";
import { z } from "zod";
import type { Checked } from "./closure.ts";
import { contentOf, treeOf } from "./object-content.ts";
import { decodeIndex, encodeIndex, type StoredObject } from "./object-index.ts";
import { Remembered } from "./remembered.ts";
import { bundlesIn, framesIn, type ReadObject, type Run, runsOf } from "./object-runs.ts";
import { ChunkOpener, sealPack } from "./sealed-pack.ts";
import { lineageSeal, type Seal } from "./seal.ts";

/** A checkpoint that a conversation holds on to. */
export type Reference = { readonly conversationId: string; readonly checkpointId: string; readonly root: string };

/** An object's frame, ready to be stored. */
export type NamedFrame = {
  readonly name: string;
  readonly kind: ObjectKind;
  readonly size: number;
  readonly frame: Uint8Array;
};

const RefContent = z.object({ root: z.string() });
/** Marks a reference of which only the newest are kept. */
const STEP = ".step";
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
  readonly #store: CheckpointStore;
  readonly #seal: Seal;
  #objects: Map<string, StoredObject> | undefined;
  #indexes: string[] = [];
  readonly #trees = new Remembered<SnapshotTree>(MAX_REMEMBERED_TREE_BYTES, bytesOf);
  readonly #treeFrames = new Remembered<Uint8Array>(MAX_REMEMBERED_FRAME_BYTES, ({ length }) => length);
  readonly #checked = new Remembered<Checked>(MAX_REMEMBERED_CHECKS, () => 1);

  constructor(id: string, store: CheckpointStore, key: Uint8Array) {
    this.id = id;
    this.#store = store;
    this.#seal = lineageSeal(key, id);
  }

  /** What is here, by name; what comes later shows in it too. */
  async objects(): Promise<ReadonlyMap<string, StoredObject>> {
    if (this.#objects !== undefined) return this.#objects;
    const objects = new Map<string, StoredObject>();
    this.#indexes = [...(await this.#store.list(`${this.id}/indexes/`))];
    for (const path of this.#indexes) {
      const bytes = this.#seal.open(path, await this.#store.get(path));
      try {
        decodeIndex(bytes, objects);
      } catch (cause) {
        throw new AppError("checkpoint_damaged", "An index of the checkpoints cannot be read.", {}, { cause });
      }
    }
    this.#objects = objects;
    return objects;
  }

  get indexCount(): number {
    return this.#indexes.length;
  }

  /** Keeps frames in one pack. They are not there before `addIndex`. */
  async putPack(frames: readonly NamedFrame[]): Promise<Map<string, StoredObject>> {
    const pack = `${this.id}/packs/${randomBytes(16).toString("hex")}`;
    const { bytes, objects } = await sealPack(this.#seal, pack, frames);
    await this.#store.put(pack, bytes);
    return objects;
  }

  /** From here on these objects are there. */
  async addIndex(objects: ReadonlyMap<string, StoredObject>): Promise<void> {
    if (objects.size === 0) return;
    await this.objects();
    const path = await this.#putIndex(objects);
    this.#indexes.push(path);
    for (const [name, object] of objects) this.#objects?.set(name, object);
  }

  /** Puts one index in the place of all, and removes the packs that it does not name. */
  async replaceIndexes(objects: ReadonlyMap<string, StoredObject>): Promise<void> {
    const old = this.#indexes;
    this.#indexes = objects.size === 0 ? [] : [await this.#putIndex(objects)];
    this.#objects = new Map(objects);
    this.#checked.clear();
    for (const path of old) await this.#store.remove(path);
    await this.removeLoosePacks();
  }

  /** What a crash left: packs that no index names. */
  async removeLoosePacks(): Promise<void> {
    const named = new Set(Array.from((await this.objects()).values(), ({ pack }) => pack));
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
    const known = await this.objects();
    const wanted = Array.from(new Set(names), (name) => ({ name, ...required(known, name) }));
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

  async references(): Promise<Reference[]> {
    const references: Reference[] = [];
    for (const path of await this.#store.list(`${this.id}/refs/`)) {
      const [, , conversationId = ""] = path.split("/");
      const bytes = this.#seal.open(path, await this.#store.get(path));
      const { root } = RefContent.parse(JSON.parse(bytes.toString("utf8")));
      references.push({ conversationId, checkpointId: heldIn(path), root });
    }
    return references;
  }

  async addReference(reference: Reference): Promise<void> {
    await this.#putReference(referencesOf(this.id, reference.conversationId) + reference.checkpointId, reference.root);
  }

  /** The same for a checkpoint after a step. Of a conversation's only the newest `most` stay, and `latest`. */
  async addStepReference(reference: Reference, most: number, latest: string | undefined): Promise<void> {
    const prefix = referencesOf(this.id, reference.conversationId);
    await this.#putReference(prefix + reference.checkpointId + STEP, reference.root);
    const steps = (await this.#store.list(prefix)).filter((path) => path.endsWith(STEP)).toSorted();
    const stays = (path: string) => [reference.checkpointId, latest].includes(heldIn(path));
    for (const path of steps.slice(0, -most)) if (!stays(path)) await this.#store.remove(path);
  }

  async removeStepReference(conversationId: string, checkpointId: string): Promise<void> {
    await this.#store.remove(referencesOf(this.id, conversationId) + checkpointId + STEP);
  }

  async removeReferences(conversationId: string): Promise<void> {
    for (const path of await this.#store.list(referencesOf(this.id, conversationId))) await this.#store.remove(path);
  }

  /** What else is remembered here, by name. @throws AppError `checkpoint_damaged` */
  async notes(): Promise<ReadonlyMap<string, unknown>> {
    const prefix = `${this.id}/notes/`;
    const notes = new Map<string, unknown>();
    for (const path of await this.#store.list(prefix)) {
      const bytes = this.#seal.open(path, await this.#store.get(path));
      notes.set(path.slice(prefix.length), JSON.parse(bytes.toString("utf8")));
    }
    return notes;
  }

  async putNote(name: string, value: unknown): Promise<void> {
    const path = `${this.id}/notes/${name}`;
    await this.#store.put(path, this.#seal.seal(path, Buffer.from(JSON.stringify(value))));
  }

  removeNote(name: string): Promise<void> {
    return this.#store.remove(`${this.id}/notes/${name}`);
  }

  async #putReference(path: string, root: string): Promise<void> {
    await this.#store.put(path, this.#seal.seal(path, Buffer.from(JSON.stringify({ root }))));
  }

  async #putIndex(objects: ReadonlyMap<string, StoredObject>): Promise<string> {
    const path = `${this.id}/indexes/${randomBytes(16).toString("hex")}`;
    await this.#store.put(path, this.#seal.seal(path, encodeIndex(objects)));
    return path;
  }
}

/** Where references of a conversation are, in the store. */
export function referencesOf(lineageId: string, conversationId: string): string {
  return `${lineageId}/refs/${conversationId}/`;
}

/** The id of the checkpoint that the reference at this path is to. */
export function heldIn(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return name.endsWith(STEP) ? name.slice(0, -STEP.length) : name;
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

function required(known: ReadonlyMap<string, StoredObject>, name: string): StoredObject {
  const object = known.get(name);
  if (object === undefined) throw new AppError("checkpoint_damaged", "Files of the checkpoint are missing.", { name });
  return object;
}
